import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Anchor, fileAnchor, witnessAnchor } from '@autovolt/data'
import { BSONRegExp, type Document } from 'mongodb'
import { beforeEach, describe, expect, it } from 'vitest'
import { ledgerLogOf } from '../../../src/ledger/log/log-options.js'
import { formatSignature, parseNote } from '../../../src/ledger/log/signed-note.js'
import { WitnessKey } from '../../../src/ledger/log/witness-key.js'
import { setUpDatabase, type TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { startWitness } from '../../support/witness.js'
import { aSwitchInLedger, readings } from '../support/events.js'
import { testLogKeys } from '../support/test-keys.js'

const { signerKey, verifierKey } = testLogKeys('school.example/energy')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-anchoring-'))
  return () => rm(folder, { recursive: true })
})

async function openLedger(database: TestDatabase, ...anchors: readonly Anchor[]) {
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [signerKey], anchors } })
  await volt.setup()
  return volt.ledger
}

const own = aSwitchInLedger()
const events = (count: number) => readings(count, own)

describe('a ledger with anchors', () => {
  it('keeps the cosignature of a witness with its checkpoint, and shows it in exports and proofs', async () => {
    const witness = await startWitness({ logKeys: [verifierKey] })
    const ledger = await openLedger(setUpDatabase(), witnessAnchor(witness))
    const [first] = await ledger.append(events(3))
    await ledger.checkpoint()
    const { checkpoint } = await ledger.proveInclusion(first!.entry._id)
    const { text, signatures } = parseNote(checkpoint)
    const key = WitnessKey.parse(witness.verifierKey)
    expect(signatures.map((signature) => key.verifies(text, signature))).toEqual([false, true])
    let exported = ''
    for await (const piece of ledger.export()) exported += piece
    expect(exported).toContain(JSON.stringify({ checkpoint }))
  })

  it('keeps one cosignature of a witness, however often it is asked, and none in the name of a key that has signed', async () => {
    const witness = await startWitness({ logKeys: [verifierKey] })
    const database = setUpDatabase()
    let forged = ''
    const forger: Anchor = {
      name: 'forger',
      async publish({ note }) {
        const [signature] = parseNote(note).signatures
        forged = formatSignature({ ...signature!, bytes: Buffer.alloc(64, 1) })
        return [forged]
      },
    }
    for (let start = 0; start < 3; start += 1) {
      const ledger = await openLedger(database, witnessAnchor(witness), forger)
      if (start === 0) await ledger.append(events(3))
      await ledger.checkpoint()
    }
    const stored: Document | null = await database.db.collection('ledger_checkpoints').findOne()
    const { text, signatures } = parseNote(stored?.note)
    const key = WitnessKey.parse(witness.verifierKey)
    expect(signatures.map((signature) => key.verifies(text, signature))).toEqual([false, true])
    expect(stored?.note).not.toContain(forged)
  })

  it('keeps several anchors going, though one of them fails, and says so', async () => {
    const file = join(folder, 'checkpoints.jsonl')
    const failing: Anchor = {
      name: 'failing',
      publish: () => Promise.reject(new Error('no route to mongodb://user:secret@host/')),
    }
    const ledger = await openLedger(setUpDatabase(), failing, fileAnchor(file, 'file'))
    await ledger.append(events(2))
    await ledger.checkpoint()
    const [first, second] = await ledger.anchorStatus()
    expect(first).toMatchObject({ name: 'failing', size: 0, anchoredAt: null, failures: 3 })
    expect(first?.lastError).toMatch(/no route/)
    expect(first?.lastError).not.toMatch(/secret/)
    expect(second).toMatchObject({ name: 'file', size: 2, failures: 0, lastError: null })
  })

  it('tries a failed anchor again with the next checkpoint, also where nothing is new', async () => {
    let isDown = true
    const published: number[] = []
    const anchor: Anchor = {
      name: 'flaky',
      async publish({ size }) {
        if (isDown) throw new Error('down')
        published.push(size)
        return undefined
      },
    }
    const ledger = await openLedger(setUpDatabase(), anchor)
    await ledger.append(events(2))
    await ledger.checkpoint()
    isDown = false
    await ledger.checkpoint()
    await ledger.checkpoint()
    expect(published).toEqual([2])
    expect(await ledger.anchorStatus()).toMatchObject([{ size: 2, failures: 0, lastError: null }])
  })

  it.each<[string, unknown]>([
    ['a text', 'x'],
    ['an object without a note', {}],
    ['a note that is no text', { note: 5, anchoredAt: new Date() }],
    ['a date that is none', { note: 'x', anchoredAt: new Date(Number.NaN) }],
  ])('says that an anchor answers what is no checkpoint: %s', async (_, answer) => {
    const anchor: Anchor = { name: 'odd', publish: async () => undefined, newest: async () => answer as never }
    const ledger = await openLedger(setUpDatabase(), anchor)
    await ledger.append(events(1))
    await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'ANCHOR_UNREACHABLE' })
    expect((await ledger.anchorStatus())[0]?.lastError).toContain('expected { note, anchoredAt }')
    expect((await ledger.verify()).caveats.join()).toContain('odd')
  })

  it('is written to, whatever the database says of it', async () => {
    const database = setUpDatabase()
    const file = join(folder, 'checkpoints.jsonl')
    const ledger = await openLedger(database, fileAnchor(file, 'file'))
    await ledger.append(events(1))
    const unreadable = { name: 'file', lastError: new BSONRegExp('(') }
    await database.db.collection('ledger_anchors').insertOne(unreadable, { bypassDocumentValidation: true })
    expect(await ledger.checkpoint()).toMatchObject({ added: 1 })
    expect(await ledger.anchorStatus()).toMatchObject([{ name: 'file', size: 1 }])
  })

  it('does not store what an anchor answers if it is no signature', async () => {
    const answering = (name: string, line: string): Anchor => ({ name, publish: async () => [line] })
    const ledger = await openLedger(
      setUpDatabase(),
      answering('empty', ''),
      answering('text', 'thank you'),
      answering('two', '\u2014 a AAAAAAA=\n\n\u2014 b AAAAAAA='),
    )
    const [first] = await ledger.append(events(1))
    await ledger.checkpoint()
    const { checkpoint } = await ledger.proveInclusion(first!.entry._id)
    expect(parseNote(checkpoint).signatures).toHaveLength(1)
  })

  it('keeps checkpoints in a file whose path is long', async () => {
    const deep = join(folder, 'x'.repeat(200), 'y'.repeat(200))
    await mkdir(deep, { recursive: true })
    const ledger = await openLedger(setUpDatabase(), fileAnchor(join(deep, 'checkpoints.jsonl')))
    await ledger.append(events(1))
    await ledger.checkpoint()
    expect(await ledger.anchorStatus()).toMatchObject([{ size: 1, failures: 0 }])
  })

  it.each([
    ['two of one name', [fileAnchor('/a', 'file'), fileAnchor('/b', 'file')]],
    ['one without a name', [fileAnchor('/a', '')]],
    ['one whose name is no name any more', [fileAnchor('/a', 'x'.repeat(5001))]],
  ])('refuses %s', (_, anchors) => {
    expect(() => ledgerLogOf({ anchors })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })

  it('finds out that it was rolled back, though its database then says that nothing is anchored', async () => {
    const database = setUpDatabase()
    const file = join(folder, 'checkpoints.jsonl')
    const ledger = await openLedger(database, fileAnchor(file, 'file'))
    await ledger.append(events(3))
    await ledger.checkpoint()
    await ledger.append(events(5))
    await ledger.checkpoint()
    const kept = await readFile(file, 'utf8')
    await rollBack(database, 3)

    const after = await openLedger(database, fileAnchor(file, 'file'))
    await after.append(events(4))
    await expect(after.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    expect(await after.anchorStatus()).toMatchObject([{ name: 'file', size: 5 }])
    expect(await readFile(file, 'utf8')).toBe(kept)
    expect((await after.verify()).findings).toContainEqual(
      expect.objectContaining({ damage: 'truncated', where: 'checkpoint', checkpointSize: 5 }),
    )
  })
})

/** What somebody who can write to the database does to make it the state of an earlier checkpoint. */
async function rollBack({ db }: TestDatabase, size: number): Promise<void> {
  await db.collection('power_consumption_ledger').deleteMany({ sequence: { $gt: size } })
  await db.collection('ledger_checkpoints').deleteMany({ size: { $gt: size } })
  await db.collection('ledger_segments').deleteMany({ firstLeaf: { $gte: size } })
  await db.collection('ledger_anchors').deleteMany({})
}
