import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary, type Document, Double, Long, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signTreeHead } from '../../../src/ledger/log/checkpoint-text.js'
import { fileAnchor } from '../../../src/ledger/log/file-anchor.js'
import { generateLogKeys, SignerKey, VerifierKey } from '../../../src/ledger/log/signed-note.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { places } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { type OwnFields, readings } from '../support/events.js'
import { keys, rewrittenFrom, Site } from './support/site.js'

const database = setUpDatabase()
let site: Site
let notes: readonly string[]

beforeAll(async () => {
  site = await Site.build(database)
  notes = await site.notes()
})

afterEach(() => site.restore())

const kinds = async (options = {}) =>
  (await site.verify(options)).findings.map(({ damage, where, checkpointSize }) => [damage, where, checkpointSize])

/** Bytes with one bit turned. */
function flipped(bytes: Binary, at: number): Binary {
  const changed = Buffer.from(bytes.buffer)
  changed[at] = (changed[at] ?? 0) ^ 1
  return new Binary(changed)
}

describe('a tile', () => {
  it('of which any byte is edited is found, by the first checkpoint that has it', async () => {
    const [tile] = await site.documents('tiles')
    const { hashes, _id } = tile as Document
    expect(hashes.length()).toBe(8 * 32)
    // The first checkpoint has five leaves.
    for (const at of places(hashes.length(), 11, 5 * 32 - 1, 5 * 32)) {
      await site.edit('tiles', { _id }, { $set: { hashes: flipped(hashes, at) } })
      const report = await site.verify()
      expect(report.valid).toBe(false)
      const tree = report.findings.filter(({ damage }) => damage === 'rewritten')
      expect(tree[0]).toMatchObject({ where: 'tree', checkpointSize: at < 5 * 32 ? 5 : 8 })
    }
  })

  it('that is short, of another type or gone is found, and no new checkpoint is signed on top of it', async () => {
    const [tile] = await site.documents('tiles')
    const { hashes, _id } = tile as Document
    for (const value of [new Binary(hashes.buffer.subarray(0, 100)), 'text', null]) {
      await site.edit('tiles', { _id }, { $set: { hashes: value } })
      expect(await kinds()).toContainEqual(['truncated', 'tree', 8])
      await expect(site.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
      const entry = await site.plain(site.first, 1)
      await expect(site.volt.ledger.proveInclusion(entry._id)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    }
    await site.fill('tiles', [])
    expect(await kinds()).toEqual([
      ['truncated', 'tree', 5],
      ['truncated', 'tree', 8],
    ])
  })

  it('that has more than the tree is found, and put right by the next checkpoint', async () => {
    const [tile] = await site.documents('tiles')
    const { hashes, _id } = tile as Document
    await site.edit(
      'tiles',
      { _id },
      { $set: { hashes: new Binary(Buffer.concat([hashes.buffer, Buffer.alloc(64)])) } },
    )
    expect(await kinds()).toEqual([['inserted', 'tree', undefined]])
    expect(await site.checkpoint()).toMatchObject({ added: 3 })
    expect(await site.verify()).toMatchObject({ valid: true, coveredEntries: 11 })
  })

  it('above the leaves is found, whichever of its bytes is edited, or gone', async () => {
    const other = setUpDatabase()
    const volt = await openVolt(other, { ledgerLog: { signerKeys: [keys.signerKey] } })
    await volt.setup()
    await volt.ledger.append(readings(600))
    await volt.ledger.checkpoint()
    const tiles = other.db.collection('ledger_tiles')
    const upper = (await tiles.findOne({ level: 1 })) as Document
    expect(upper.hashes.length()).toBe(2 * 32)
    expect((await volt.ledger.verify()).valid).toBe(true)
    for (const at of places(upper.hashes.length(), 7, 31, 32)) {
      await tiles.updateOne({ _id: upper._id }, { $set: { hashes: flipped(upper.hashes, at) } })
      const [finding, ...more] = (await volt.ledger.verify()).findings
      expect(more).toEqual([])
      expect(finding).toMatchObject({
        damage: 'edited',
        where: 'tree',
        expected: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
      expect(finding?.found).toMatch(/^[0-9a-f]{64} in the tile 1\/0$/)
    }
    await tiles.deleteOne({ _id: upper._id })
    expect((await volt.ledger.verify()).findings).toMatchObject([{ damage: 'edited', where: 'tree' }])
  })
})

describe('a segment', () => {
  it.each<[string, unknown]>([
    ['switchId', new ObjectId()],
    ['switchId', 'text'],
    ['firstSequence', 2],
    ['firstSequence', null],
    ['count', 4],
    ['count', 2.5],
    ['count', 'many'],
    ['firstLeaf', 1],
    ['firstLeaf', Long.fromString('9000000000')],
    ['firstLeaf', 'text'],
    ['lastHash', new Binary(Buffer.alloc(32))],
    ['lastHash', 'text'],
  ])('with another %s (%s) is found, whichever it is', async (field, value) => {
    for (const { _id } of await site.documents('segments')) {
      await site.edit('segments', { _id }, { $set: { [field]: value } })
      const report = await site.verify()
      expect(report.valid).toBe(false)
      await site.restore()
    }
  })

  it('of which any byte of the last hash is edited is named with its chain and entry', async () => {
    const [segment] = await site.documents('segments')
    const { _id, lastHash, switchId, count } = segment as Document
    for (const at of places(32, 5)) {
      await site.edit('segments', { _id }, { $set: { lastHash: flipped(lastHash, at) } })
      expect((await site.verify()).findings).toEqual([
        expect.objectContaining({
          damage: 'edited',
          where: 'tree',
          switchId: switchId.toHexString(),
          sequence: Number(count),
          expected: Buffer.from(lastHash.buffer).toString('hex'),
        }),
      ])
    }
  })

  it('that is gone is found, whichever it is', async () => {
    for (const { _id } of await site.documents('segments')) {
      await site.remove('segments', { _id })
      expect((await site.verify()).valid).toBe(false)
      await site.restore()
    }
  })

  it('that is gone together with the end of its chain is found, also by a verification of the chain', async () => {
    const { switchId, deviceId } = site.first
    await site.remove('segments', { switchId, firstSequence: 4 })
    await site.remove('entries', { switchId, sequence: { $gte: 4 } })
    expect((await site.verify()).valid).toBe(false)
    const report = await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)
    expect(report.findings).toContainEqual(expect.objectContaining({ damage: 'edited', where: 'tree' }))
  })

  it.each<[string, () => Promise<unknown>]>([
    ['that is said to be of a switch without entries', () => rename(site.second)],
    ['whose leaves are exchanged with those of another chain', () => exchange()],
  ])('%s, with the chain gone, is found by every verification', async (_, change) => {
    await change()
    const { first, second } = site
    for (const options of [{}, { switchIds: [first.switchId] }, { switchIds: [first.switchId, second.switchId] }])
      expect([options, (await site.verify(options)).valid]).toEqual([options, false])
  })

  it('whose checkpoint does not say which chains there are is neither signed over nor believed', async () => {
    const checkpoint = (await site.documents('checkpoints')).find(({ size }) => Number(size) === 8) as Document
    const head = { origin: 'school.example/energy', size: 8, rootHash: Buffer.from(checkpoint.rootHash, 'hex') }
    const note = signTreeHead(head, [SignerKey.parse(keys.signerKey)])
    await site.edit('checkpoints', { _id: checkpoint._id }, { $set: { note } })
    await expect(site.volt.ledger.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    expect(await kinds()).toEqual([['edited', 'tree', 8]])
    expect(await kinds({ switchIds: [site.first.switchId] })).toEqual([['edited', 'tree', 8]])
  })

  async function rename({ switchId }: OwnFields): Promise<void> {
    await site.remove('entries', { switchId })
    const nobody = new ObjectId()
    for (const { _id } of (await site.documents('segments')).filter((segment) => switchId.equals(segment.switchId)))
      await site.edit('segments', { _id }, { $set: { switchId: nobody } })
  }

  /** The last signed entries of both chains are gone, and each is said to be the other's. */
  async function exchange(): Promise<void> {
    const last = (await site.documents('segments')).filter(({ firstLeaf }) => Number(firstLeaf) >= 5)
    const [one, two] = last as [Document, Document]
    for (const { switchId } of last) await site.remove('entries', { switchId, sequence: { $gte: 3 } })
    await site.edit('segments', { _id: one._id }, { $set: { switchId: new ObjectId() } })
    for (const [of, other] of [
      [two, one],
      [one, two],
    ] as const) {
      const { switchId, firstSequence, count } = other
      await site.edit('segments', { _id: of._id }, { $set: { switchId, firstSequence, count } })
    }
  }
})

describe('a checkpoint', () => {
  const newest = async () => (await site.documents('checkpoints')).find(({ size }) => Number(size) === 8) as Document

  it.each<[string, unknown]>([
    ['size', new Double(7)],
    ['size', new Double(9)],
    ['size', 'text'],
    ['origin', 'school.example/other'],
    ['rootHash', 'f'.repeat(64)],
    ['note', ''],
    ['note', 5],
    ['note', null],
  ])('with another %s (%s) is found', async (field, value) => {
    await site.edit('checkpoints', { _id: (await newest())._id }, { $set: { [field]: value } })
    const report = await site.verify()
    expect(report.valid).toBe(false)
    expect(report.findings[0]).toMatchObject({ damage: 'edited', where: 'checkpoint' })
    const { deviceId, switchId } = site.first
    const ofSwitch = await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)
    expect(ofSwitch.valid).toBe(false)
  })

  it('of whose note any character is edited is found', async () => {
    const { _id, note } = await newest()
    for (const at of places(note.length, 7)) {
      const edited = `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`
      await site.edit('checkpoints', { _id }, { $set: { note: edited } })
      const report = await site.verify()
      expect(report.valid).toBe(false)
      expect(report.findings[0]).toMatchObject({ where: 'checkpoint', checkpointSize: 8 })
      expect(['edited', 'bad_signature']).toContain(report.findings[0]?.damage)
    }
  })

  it('that a foreign key has signed, though of the same name, is refused', async () => {
    const foreign = SignerKey.parse(generateLogKeys('school.example/energy').signerKey)
    const { _id, rootHash } = await newest()
    const head = { origin: 'school.example/energy', size: 8, rootHash: Buffer.from(rootHash, 'hex') }
    await site.edit('checkpoints', { _id }, { $set: { note: signTreeHead(head, [foreign]) } })
    const report = await site.verify()
    expect(report.findings).toEqual([
      {
        damage: 'bad_signature',
        where: 'checkpoint',
        checkpointSize: 8,
        expected: VerifierKey.parse(keys.verifierKey).text,
        found: 'no signature of a trusted key',
      },
    ])
    expect(report.checkpoint?.size).toBe(5)
  })

  it('that is an old one under a new size is refused', async () => {
    await site.edit('checkpoints', { _id: (await newest())._id }, { $set: { note: notes[0] } })
    expect(await kinds()).toEqual([['edited', 'checkpoint', 8]])
  })

  it('that is gone while its tree is there is found, and no other is signed in its place', async () => {
    await site.remove('checkpoints', { _id: (await newest())._id })
    expect(await kinds()).toEqual([['deleted', 'checkpoint', 8]])
    const { deviceId, switchId } = site.first
    expect(await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)).toMatchObject({
      valid: false,
      findings: [{ damage: 'deleted', where: 'checkpoint', checkpointSize: 8 }],
    })
    await expect(site.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    await site.fill('checkpoints', [])
    await expect(site.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })
})

/** Everything goes back to the first checkpoint, as if nothing had come after it. */
async function rollBack() {
  const { personalCommitment: commitment } = await site.plain(site.first, 5)
  await site.remove('entries', { switchId: site.first.switchId, sequence: { $gt: 3 } })
  await site.remove('entries', { switchId: site.second.switchId, sequence: { $gt: 2 } })
  await site.remove('checkpoints', { size: 8 })
  await site.remove('segments', { firstLeaf: { $gte: 5 } })
  const [tile] = await site.documents('tiles')
  await site.edit(
    'tiles',
    { level: 0, index: 0 },
    { $set: { hashes: new Binary(tile?.hashes.buffer.subarray(0, 5 * 32)) } },
  )
  await site.remove('personal', { commitment })
}

describe('a ledger that was rolled back', () => {
  it('is not found out by itself, and the report says so; a later checkpoint that is known finds it', async () => {
    await rollBack()
    for (const options of [{}, { switchIds: [site.second.switchId] }]) {
      const report = await site.verify(options)
      expect(report).toMatchObject({ valid: true, checkpoint: { size: 5 } })
      expect(report.caveats).toContainEqual(expect.stringContaining('cannot be excluded that chains were cut'))
    }
    const known = { knownCheckpoint: notes[1] as string }
    const expected = [['truncated', 'checkpoint', 8]]
    expect(await kinds({ ...known, switchIds: [site.second.switchId] })).toEqual(expected)
    expect(await kinds(known)).toEqual(expected)
    expect(await kinds({ ...known, onlySince: true })).toEqual(expected)
    expect(await kinds({ knownCheckpoint: notes[0] })).toEqual([])
  })

  it('is found out by an anchor that keeps a later checkpoint, whose age the report tells', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'anchor-'))
    cleanUpLater(() => rm(folder, { recursive: true }))
    const file = join(folder, 'checkpoints.jsonl')
    const anchored = { anchoredAt: new Date(Date.now() - 5000).toISOString(), note: notes[1] }
    await writeFile(file, `${JSON.stringify(anchored)}\n`)
    const ledgerLog = { signerKeys: [keys.signerKey], anchors: [fileAnchor(file, 'the file')] }
    const { ledger } = await openVolt(database, { ledgerLog })
    const sound = await ledger.verify()
    expect(sound).toMatchObject({ valid: true, newestAnchor: { name: 'the file', size: 8 } })
    expect(sound.newestAnchor?.ageMs).toBeGreaterThanOrEqual(5000)
    expect(sound.caveats).not.toContainEqual(expect.stringContaining('cannot be excluded'))
    await rollBack()
    const report = await ledger.verify({ switchIds: [site.second.switchId] })
    expect(report.findings).toMatchObject([{ damage: 'truncated', where: 'checkpoint', checkpointSize: 8 }])
    expect(await readFile(file, 'utf8')).toContain('school.example')
  })
})

describe('a ledger that was rewritten together with its tree', () => {
  const rewriteAll = async (signer: SignerKey) => {
    const [first, second] = [await site.chain(site.first), await site.chain(site.second)]
    await site.fill('entries', [...rewrittenFrom(first, 2, { powerRating: 1 }), ...rewrittenFrom(second, 99, {})])
    for (const name of ['checkpoints', 'tiles', 'segments'] as const) await site.fill(name, [])
    const forger = await openVolt(database, { ledgerLog: { signerKeys: [keyText.get(signer) as string] } })
    await forger.ledger.checkpoint()
  }
  const foreign = generateLogKeys('school.example/energy').signerKey
  const keyText = new Map([foreign, keys.signerKey].map((text) => [SignerKey.parse(text), text]))
  const [foreignSigner, ownSigner] = [...keyText.keys()] as [SignerKey, SignerKey]

  it('and signed with a foreign key is refused', async () => {
    await rewriteAll(foreignSigner)
    expect((await kinds())[0]).toEqual(['bad_signature', 'checkpoint', 11])
    expect((await kinds({ switchIds: [site.first.switchId] }))[0]).toEqual(['bad_signature', 'checkpoint', 11])
  })

  it('and signed with the stolen key is not found out by itself, and the report says so; a known checkpoint finds it', async () => {
    await rewriteAll(ownSigner)
    const report = await site.verify()
    expect(report).toMatchObject({ valid: true, findings: [] })
    expect(report.caveats).toContainEqual(expect.stringContaining('rewritten with new hashes'))
    for (const options of [{}, { onlySince: true }, { switchIds: [site.first.switchId] }]) {
      const compared = await site.verify({ ...options, knownCheckpoint: notes[0] as string })
      expect(compared).toMatchObject({
        valid: false,
        findings: [{ damage: 'rewritten', where: 'checkpoint', checkpointSize: 5 }],
      })
    }
  })
})

describe('a checkpoint that is handed in as known', () => {
  it('and that nobody trusted has signed, or that is none, says nothing about the ledger', async () => {
    const foreign = SignerKey.parse(generateLogKeys('school.example/energy').signerKey)
    const note = signTreeHead({ origin: 'school.example/energy', size: 1, rootHash: Buffer.alloc(32) }, [foreign])
    for (const knownCheckpoint of [note, 'no note', ''])
      await expect(site.verify({ knownCheckpoint })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await expect(site.verify({ onlySince: true })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})

describe('verification without keys', () => {
  it('believes no checkpoint, holds nothing against any, and says so', async () => {
    const { ledger } = await openVolt(database)
    const report = await ledger.verify()
    expect(report).toMatchObject({ valid: true, checkpoint: null, coveredEntries: 0 })
    expect(report.caveats[0]).toBe('No verifier keys are known, so no checkpoint was believed.')
  })
})

describe('verification of what is new', () => {
  it('reads only what came after the known checkpoint, and says so', async () => {
    const report = await site.verify({ knownCheckpoint: notes[0] as string, onlySince: true })
    expect(report).toMatchObject({ valid: true, entries: 6, coveredEntries: 3, findings: [] })
    expect(report.caveats).toContain('Entries that the known checkpoint covers were not read.')
  })

  it('finds what is damaged there', async () => {
    const { switchId } = site.first
    const since = { knownCheckpoint: notes[0] as string, onlySince: true }
    for (const sequence of [4, 6, 7]) {
      await site.edit('entries', { switchId, sequence }, { $set: { powerState: false } })
      expect((await site.verify(since)).findings).toMatchObject([{ damage: 'edited', sequence }])
      await site.restore()
    }
    await site.remove('entries', { switchId, sequence: 4 })
    expect((await site.verify(since)).findings).toMatchObject([{ damage: 'deleted', sequence: 4 }])
    await site.restore()
    await site.edit('entries', { switchId, sequence: 6 }, { $set: { sequence: 'six' } })
    expect((await site.verify(since)).valid).toBe(false)
    await site.restore()
    await site.edit('entries', { switchId, sequence: 6 }, { $set: { switchId: 'x' } })
    expect((await site.verify(since)).valid).toBe(false)
  })
})
