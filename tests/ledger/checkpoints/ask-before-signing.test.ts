import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary, type Document, ObjectId } from 'mongodb'
import { beforeEach, describe, expect, it } from 'vitest'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import type { Anchor } from '../../../src/ledger/log/anchor.js'
import { signTreeHead } from '../../../src/ledger/log/checkpoint-text.js'
import { fileAnchor } from '../../../src/ledger/log/file-anchor.js'
import { generateLogKeys, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { setUpDatabase, type TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { forged } from '../audit/support/site.js'
import { chainOf, hex } from '../support/chains.js'
import { aSwitchInLedger, type OwnFields, readings } from '../support/events.js'

const keys = generateLogKeys('school.example/energy')
const [own, other] = [aSwitchInLedger(), aSwitchInLedger()]
let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-asking-'))
  file = join(folder, 'checkpoints.jsonl')
  return () => rm(folder, { recursive: true })
})

async function open(database: TestDatabase, ...anchors: readonly Anchor[]) {
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey], anchors } })
  await volt.setup()
  return volt.ledger
}

/** An anchor that says what it is told to. */
function saying(note: string | undefined, name = 'saying'): Anchor {
  return {
    name,
    publish: async () => undefined,
    newest: async () => (note === undefined ? undefined : { note, anchoredAt: new Date() }),
  }
}

/** What somebody who can write to the database does to make it the state of an earlier checkpoint. */
async function rollBack({ db }: TestDatabase, size: number): Promise<void> {
  await db.collection('power_consumption_ledger').deleteMany({ sequence: { $gt: size } })
  await db.collection('ledger_checkpoints').deleteMany({ size: { $gt: size } })
  await db.collection('ledger_segments').deleteMany({ firstLeaf: { $gte: size } })
}

const checkpointsIn = ({ db }: TestDatabase) => db.collection('ledger_checkpoints').countDocuments()

describe('a ledger that was rolled back below what is known', () => {
  it('is not signed again where an anchor keeps a later checkpoint, and the anchor keeps what it has', async () => {
    const database = setUpDatabase()
    const ledger = await open(database, fileAnchor(file, 'file'))
    await ledger.append(readings(3, own))
    await ledger.checkpoint()
    await ledger.append(readings(2, own, 'more'))
    await ledger.checkpoint()
    const kept = await readFile(file, 'utf8')
    await rollBack(database, 3)
    for (const count of [0, 4, 6]) {
      const after = await open(database, fileAnchor(file, 'file'))
      await after.append(readings(count, own, `another history ${count}`))
      await expect(after.checkpoint()).rejects.toMatchObject({
        code: 'LEDGER_DAMAGED',
        message: expect.stringMatching(/the anchor file keeps is of 5 entries, .* in the database of 3/),
      })
    }
    expect(await checkpointsIn(database)).toBe(1)
    expect(await readFile(file, 'utf8')).toBe(kept)
  })

  it('is not signed again by the process that has signed the later one, without any anchor', async () => {
    const database = setUpDatabase()
    const ledger = await open(database)
    await ledger.append(readings(3, own))
    await ledger.checkpoint()
    await ledger.append(readings(2, own, 'more'))
    await ledger.checkpoint()
    await rollBack(database, 3)
    const other = await open(database)
    await other.append(readings(4, own, 'another history'))
    await expect(ledger.checkpoint()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringContaining('this process has signed last'),
    })
  })

  it('is not signed again where it has grown beyond what the anchor keeps, on another branch', async () => {
    const database = setUpDatabase()
    const ledger = await open(database)
    await ledger.append(readings(3, own))
    await ledger.checkpoint()
    await ledger.append(readings(2, own, 'more'))
    const { note } = (await ledger.checkpoint()).checkpoint!
    await rollBack(database, 3)
    const unasked = await open(database)
    await unasked.append(readings(6, own, 'another history'))
    await unasked.checkpoint()
    const asking = await open(database, saying(note, 'second'))
    await asking.append(readings(1, own, 'later'))
    await expect(asking.checkpoint()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringMatching(/the anchor second keeps is of 5 entries/),
    })
    expect(await checkpointsIn(database)).toBe(2)
  })
})

describe('what an anchor keeps', () => {
  const signedBy = (signerKey: string, size: number) =>
    signTreeHead({ origin: 'school.example/energy', size, rootHash: Buffer.alloc(32, 7) }, [SignerKey.parse(signerKey)])

  it.each([
    ['another root of the same size', () => signedBy(keys.signerKey, 2), /another root/],
    ['a smaller tree with another root', () => signedBy(keys.signerKey, 1), /anchor saying keeps is of 1 entries/],
    ['a larger tree', () => signedBy(keys.signerKey, 9), /is of 9 entries/],
    [
      'what a foreign key has signed',
      () => signedBy(generateLogKeys('school.example/energy').signerKey, 2),
      /not to be trusted/,
    ],
    ['what is no note', () => 'hello', /not to be trusted/],
  ])('keeps anything from being signed if it is %s', async (_, note, message) => {
    const database = setUpDatabase()
    const before = await open(database)
    await before.append(readings(2, own))
    await before.checkpoint()
    const ledger = await open(database, saying(undefined, 'empty'), saying(note()))
    await ledger.append(readings(1, own, 'later'))
    await expect(ledger.checkpoint()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringMatching(message),
    })
    expect(await checkpointsIn(database)).toBe(1)
  })

  it('has to be answered before anything is signed', async () => {
    let isAway = true
    const anchor: Anchor = {
      ...saying(undefined),
      async newest() {
        if (isAway) throw new Error('away from mongodb://user:secret@host/')
        return undefined
      },
    }
    const database = setUpDatabase()
    const ledger = await open(database, anchor)
    await ledger.append(readings(1, own))
    const error = await ledger.checkpoint().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ANCHOR_UNREACHABLE', retryable: true })
    expect(String(error)).not.toMatch(/secret/)
    expect(await checkpointsIn(database)).toBe(0)
    isAway = false
    expect(await ledger.checkpoint()).toMatchObject({ added: 1 })
  })
})

describe('what the database says about anchors', () => {
  it.each([1_000_000, 2, 0, -5, 'many'])('(a size of %s) keeps no checkpoint from being anchored', async (size) => {
    const database = setUpDatabase()
    const published: number[] = []
    const mailbox: Anchor = {
      name: 'mailbox',
      async publish(checkpoint) {
        published.push(checkpoint.size)
        return undefined
      },
    }
    const before = await open(database, fileAnchor(file, 'file'), mailbox)
    await before.append(readings(1, own))
    await before.checkpoint()
    await database.db
      .collection('ledger_anchors')
      .updateMany({}, { $set: { size, failures: 0 } }, { bypassDocumentValidation: true })
    const ledger = await open(database, fileAnchor(file, 'file'), mailbox)
    await ledger.append(readings(1, own, 'later'))
    await ledger.checkpoint()
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(2)
    expect(published).toEqual([1, 2])
    expect((await ledger.anchorStatus())[0]).toMatchObject({ name: 'file', size: 2 })
  })
})

describe('a tree that is not the one that was signed', () => {
  const flipped = (bytes: Binary, at: number) => {
    const changed = Buffer.from(bytes.buffer)
    changed[at] = (changed[at] ?? 0) ^ 1
    return new Binary(changed)
  }

  async function aLargeLedger() {
    const database = setUpDatabase()
    const ledger = await open(database)
    await ledger.append(readings(600, own))
    await ledger.checkpoint()
    await ledger.append(readings(1, own, 'later'))
    return { database, ledger, other: await open(database) }
  }

  it('in any byte of a complete tile is not signed over, by who has built it before or who has not', async () => {
    const { database, ledger, other } = await aLargeLedger()
    const tiles = database.db.collection('ledger_tiles')
    for (const { _id, hashes } of await tiles.find().toArray()) {
      for (const at of [0, 31, 32, hashes.length() - 1]) {
        await tiles.updateOne({ _id }, { $set: { hashes: flipped(hashes, at) } }, { bypassDocumentValidation: true })
        for (const signer of [ledger, other])
          await expect(signer.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
        await tiles.updateOne({ _id }, { $set: { hashes } })
      }
    }
    expect(await checkpointsIn(database)).toBe(1)
    expect(await ledger.checkpoint()).toMatchObject({ added: 1 })
    expect(await ledger.verify()).toMatchObject({ valid: true, coveredEntries: 601 })
  })

  it.each<[string, Document]>([
    ['rootHash', { rootHash: 'f'.repeat(64) }],
    ['size', { size: 599 }],
    ['origin', { origin: 'school.example/other' }],
    ['note', { note: 'hello' }],
    ['an added field', { added: 1 }],
    ['signedAt', { signedAt: 'today' }],
  ])('is not signed over where the newest checkpoint has another %s', async (_, change) => {
    const { database, other } = await aLargeLedger()
    await database.db
      .collection('ledger_checkpoints')
      .updateOne({}, { $set: change }, { bypassDocumentValidation: true })
    await expect(other.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })
})

describe('an index that is not of the tree', () => {
  async function twoCheckpoints() {
    const database = setUpDatabase()
    const ledger = await open(database)
    await ledger.append([...readings(3, own), ...readings(2, other)])
    await ledger.checkpoint()
    await ledger.append([...readings(2, own, 'more'), ...readings(1, other, 'more')])
    await ledger.checkpoint()
    await ledger.append([...readings(1, own, 'later'), ...readings(1, other, 'later')])
    return { database, segments: database.db.collection('ledger_segments'), signer: await open(database) }
  }

  it.each<[string, Document]>([
    ['of another chain', { switchId: new ObjectId() }],
    ['of later entries', { firstSequence: 5 }],
    ['of more entries', { count: 3 }],
    ['of other leaves', { firstLeaf: 4 }],
    ['with another last hash', { lastHash: new Binary(Buffer.alloc(32, 7)) }],
  ])('because a segment is %s is not signed over: no entry is signed twice, or behind another', async (_, change) => {
    const { database, segments, signer } = await twoCheckpoints()
    const last = { switchId: own.switchId, firstSequence: 4 }
    await segments.updateOne(last, { $set: change }, { bypassDocumentValidation: true })
    await expect(signer.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    expect(await checkpointsIn(database)).toBe(2)
  })

  it('by any two edits of where its chains end is not signed over, though as many entries are in it', async () => {
    const { database, segments, signer } = await twoCheckpoints()
    const ends = await segments.find({ firstLeaf: { $gte: 5 } }).toArray()
    const hashesOf = async ({ switchId }: OwnFields) =>
      (await chainOf(database.db, switchId)).map(({ hash }) => new Binary(Buffer.from(hex(hash), 'hex')))
    const hashes = [...(await hashesOf(own)), ...(await hashesOf(other))]
    const edits = (end: Document): Document[] => [
      {},
      ...[-1, 1].flatMap((by) => [{ firstSequence: end.firstSequence + by }, { count: end.count + by }]),
      ...hashes.filter((hash) => hex(hash) !== hex(end.lastHash)).map((lastHash) => ({ lastHash })),
      { switchId: new ObjectId() },
    ]
    const [one, two] = ends as Document[] as [Document, Document]
    let tried = 0
    for (const first of edits(one)) {
      for (const second of edits(two)) {
        const isSame = Object.keys({ ...first, ...second }).length === 0
        if (isSame || first.count === 0 || second.count === 0) continue
        await segments.updateOne({ _id: one._id }, { $set: { ...one, ...first } })
        await segments.updateOne({ _id: two._id }, { $set: { ...two, ...second } })
        await expect(signer.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
        tried += 1
      }
    }
    expect(tried).toBeGreaterThan(100)
    for (const end of ends) await segments.updateOne({ _id: end._id }, { $set: end })
    expect(await checkpointsIn(database)).toBe(2)
    expect(await signer.checkpoint()).toMatchObject({ added: 2 })
    expect(await signer.verify()).toMatchObject({ valid: true, coveredEntries: 10 })
  })

  it('does not let an entry be signed that does not follow on what was signed', async () => {
    const { database, segments, signer } = await twoCheckpoints()
    const entries = database.db.collection('power_consumption_ledger', { ignoreUndefined: true })
    const newest = (await chainOf(database.db, own.switchId)).at(-1) as LedgerEntry
    const lastHash = new Binary(Buffer.alloc(32, 7))
    await entries.deleteOne({ _id: newest._id })
    await entries.insertOne(forged(newest, { previousHash: lastHash }), { bypassDocumentValidation: true })
    await segments.updateOne({ switchId: own.switchId, firstSequence: 4 }, { $set: { lastHash } })
    await expect(signer.checkpoint()).rejects.toMatchObject({
      code: 'LEDGER_DAMAGED',
      message: expect.stringContaining('the chains that the newest checkpoint was signed for'),
    })
    expect(await checkpointsIn(database)).toBe(2)
  })
})
