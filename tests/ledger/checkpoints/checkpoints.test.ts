import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Double, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { CheckpointStore } from '../../../src/ledger/log/checkpoint-store.js'
import { Checkpointer } from '../../../src/ledger/log/checkpointer.js'
import type { Segment, StoredCheckpoint, Tile } from '../../../src/ledger/log/log-entities.js'
import { NewEntryReader } from '../../../src/ledger/log/new-entries.js'
import { verifyConsistency, verifyInclusion } from '../../../src/ledger/log/proof.js'
import { SegmentStore } from '../../../src/ledger/log/segment-store.js'
import { generateLogKeys, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { TileStore } from '../../../src/ledger/log/tile-store.js'
import { setUpDatabase, type TestDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { openVolt } from '../../support/volt.js'
import { aSwitchInLedger, type OwnFields, readings } from '../support/events.js'

const keys = generateLogKeys('school.example/energy')

async function aLedger(
  database: TestDatabase = setUpDatabase(),
  signerKeys = [keys.signerKey],
  verifierKeys: string[] = [],
) {
  const volt = await openVolt(database, { ledgerLog: { signerKeys, verifierKeys } })
  await volt.setup()
  return { volt, ledger: volt.ledger, db: database.db, database }
}

/** A checkpointer that takes so many entries at a time. */
function checkpointerOf(volt: AutoVolt, entriesPerCheckpoint: number): Checkpointer {
  const { native } = volt.database
  const signer = SignerKey.parse(keys.signerKey)
  return new Checkpointer({
    database: volt.database,
    entries: new NewEntryReader(() => native.collection<LedgerEntry>('power_consumption_ledger')),
    checkpoints: new CheckpointStore(() => native.collection<StoredCheckpoint>('ledger_checkpoints')),
    segments: new SegmentStore(() => native.collection<Segment>('ledger_segments')),
    tiles: new TileStore(() => native.collection<Tile>('ledger_tiles')),
    signers: [signer],
    keys: [signer.verifier],
    anchors: [],
    entriesPerCheckpoint,
  })
}

describe('checkpoint()', () => {
  it('of an empty ledger is none', async () => {
    const { ledger } = await aLedger()
    expect(await ledger.checkpoint()).toEqual({ checkpoint: null, added: 0, unsound: [] })
  })

  it('says after its root which chains there are, and which the last entry of each is', async () => {
    const { ledger, db } = await aLedger()
    const chains = Array.from({ length: 5 }, aSwitchInLedger)
    for (const [at, chain] of chains.entries()) {
      await ledger.append(readings(at + 1, chain, `first ${at}`))
      if (at !== 2) continue
      await ledger.checkpoint()
      await ledger.append(readings(1, chains[0], 'more'))
    }
    const { checkpoint } = await ledger.checkpoint()
    const lastOfEach = await db
      .collection('power_consumption_ledger')
      .aggregate([{ $sort: { sequence: 1 } }, { $group: { _id: '$switchId', last: { $last: '$$ROOT' } } }])
      .toArray()
    const tile = (await db.collection('ledger_tiles').findOne({ level: 0 }))?.hashes.buffer as Buffer
    const lines = lastOfEach
      .map(({ _id, last }) => {
        const hash = last.hash.buffer as Buffer
        return `${_id} ${last.sequence} ${tile.indexOf(hash) / 32} ${hash.toString('hex')}`
      })
      .sort()
    expect(lines).toHaveLength(5)
    const digest = createHash('sha256')
      .update(lines.map((line) => `${line}\n`).join(''))
      .digest('base64')
    expect(checkpoint?.note.split('\n')[3]).toBe(`chain-heads ${digest}`)
  })

  it('covers what is new, and gives the same one again where nothing is', async () => {
    const { ledger } = await aLedger()
    const own = aSwitchInLedger()
    await ledger.append(readings(3, own))
    const first = await ledger.checkpoint()
    expect(first).toMatchObject({ added: 3, unsound: [], checkpoint: { size: 3 } })
    const again = await ledger.checkpoint()
    expect(again).toMatchObject({ added: 0, checkpoint: { _id: first.checkpoint?._id } })
    await ledger.append(readings(2, own, 'later'))
    expect(await ledger.checkpoint()).toMatchObject({ added: 2, checkpoint: { size: 5 } })
  })

  it('cannot be signed without a key', async () => {
    const { ledger } = await aLedger(setUpDatabase(), [])
    await ledger.append(readings(1))
    await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it('takes several where there is more than one can take, and leaves nothing out', async () => {
    for (const limit of [1, 2, 7, 100]) {
      const { volt, ledger, db } = await aLedger()
      const chains = [5, 1, 9, 3].map((count) => ({ own: aSwitchInLedger(), count }))
      for (const { own, count } of chains) await ledger.append(readings(count, own))
      const result = await checkpointerOf(volt, limit).run()
      expect(result).toMatchObject({ added: 18, unsound: [], checkpoint: { size: 18 } })
      expect(await db.collection('ledger_checkpoints').countDocuments()).toBe(Math.ceil(18 / limit))
      expect(await ledger.verify()).toMatchObject({ valid: true, coveredEntries: 18 })
    }
  })

  it('of several callers at once are made one after the other, and none is lost', async () => {
    const { ledger, database } = await aLedger()
    const { ledger: other } = await aLedger(database)
    const chains = Array.from({ length: 3 }, aSwitchInLedger)
    const rounds = Array.from({ length: 8 }, async (_, round) => {
      await ledger.append(chains.flatMap((own) => readings(5, own, `round ${round}`)))
      return (round % 2 === 0 ? ledger : other).checkpoint()
    })
    const results = await Promise.all(rounds)
    expect(results.reduce((sum, { added }) => sum + added, 0)).toBe(120)
    expect(await ledger.verify()).toMatchObject({ valid: true, coveredEntries: 120 })
  })

  it('proves each entry and each earlier checkpoint', async () => {
    const { ledger, db } = await aLedger()
    const chains = Array.from({ length: 3 }, aSwitchInLedger)
    for (let round = 0; round < 4; round += 1) {
      await ledger.append(chains.flatMap((own) => readings(3, own, `round ${round}`)))
      await ledger.checkpoint()
    }
    for await (const { _id } of ledger.stream({})) {
      expect(verifyInclusion(await ledger.proveInclusion(_id), [keys.verifierKey])).toEqual({ valid: true })
    }
    const sizes = (await db.collection('ledger_checkpoints').find().sort({ size: 1 }).toArray()).map(({ size }) => size)
    expect(sizes).toEqual([9, 18, 27, 36])
    for (const [at, from] of sizes.entries()) {
      for (const to of sizes.slice(at))
        expect(verifyConsistency(await ledger.proveConsistency(from, to), [keys.verifierKey])).toEqual({ valid: true })
    }
  })
})

describe('a damaged chain', () => {
  const damages: Record<
    string,
    (ledger: ReturnType<TestDatabase['db']['collection']>, own: OwnFields) => Promise<unknown>
  > = {
    'of which an entry was edited': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 3 }, { $set: { powerState: false } }, bypass),
    'of which an entry is gone': (entries, { switchId }) => entries.deleteOne({ switchId, sequence: 3 }),
    'of which a number is a text': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 3 }, { $set: { sequence: 'three' } }, bypass),
    'of which a number is another': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 3 }, { $set: { sequence: new Double(1e15) } }, bypass),
    'of which a number is infinite': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 3 }, { $set: { sequence: Number.POSITIVE_INFINITY } }, bypass),
    'in which a stranger stands': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 3 }, [{ $replaceWith: { _id: '$_id', switchId, sequence: 3 } }], bypass),
  }
  const bypass = { bypassDocumentValidation: true }

  it.each(Object.keys(damages))('%s is covered up to the damage and reported, and the others go on', async (name) => {
    const { volt, ledger, db } = await aLedger()
    // Its id is the first one, so the others come after it.
    const damaged = { ...aSwitchInLedger(), switchId: new ObjectId('000000000000000000000001') }
    const sound = Array.from({ length: 3 }, aSwitchInLedger)
    await ledger.append([damaged, ...sound].flatMap((own) => readings(4, own)))
    await damages[name]?.(db.collection('power_consumption_ledger'), damaged)
    const unsound = [{ switchId: damaged.switchId, sequence: 3 }]
    expect(await checkpointerOf(volt, 5).run()).toMatchObject({ added: 14, unsound })
    await ledger.append(sound.flatMap((own) => readings(1, own, 'later')))
    expect(await ledger.checkpoint()).toMatchObject({ added: 3, unsound })
    const report = await ledger.verify()
    expect(report.valid).toBe(false)
    expect(new Set(report.findings.map(({ switchId }) => switchId))).toEqual(new Set([damaged.switchId.toHexString()]))
  })

  it('with two entries at one place is not decided about', async () => {
    const { ledger, db } = await aLedger()
    const own = aSwitchInLedger()
    await ledger.append(readings(4, own))
    const entries = db.collection('power_consumption_ledger', { promoteValues: false })
    await entries.dropIndexes()
    await entries.createIndex({ switchId: 1, sequence: 1 })
    const twin = await entries.findOne({ switchId: own.switchId, sequence: 3 })
    await entries.insertOne({ ...twin, _id: new ObjectId() }, bypass)
    expect(await ledger.checkpoint()).toMatchObject({ added: 2, unsound: [{ switchId: own.switchId, sequence: 3 }] })
  })

  it('that names no switch keeps nobody from a checkpoint', async () => {
    const { ledger, db } = await aLedger()
    await ledger.append(readings(2))
    const entries = db.collection<{ _id: unknown }>('power_consumption_ledger')
    for (const switchId of ['x', null, 5])
      await entries.insertOne({ _id: new ObjectId(), switchId, sequence: 1 } as never, bypass)
    expect(await ledger.checkpoint()).toMatchObject({ added: 2, unsound: [] })
  })

  it('that was cut behind what is covered, and goes on from there, is reported', async () => {
    const { ledger, db, database } = await aLedger()
    const own = aSwitchInLedger()
    await ledger.append(readings(4, own))
    await ledger.checkpoint()
    await db.collection('power_consumption_ledger').deleteMany({ switchId: own.switchId, sequence: { $gte: 3 } })
    const { ledger: other } = await aLedger(database)
    await other.append(readings(1, own, 'later'))
    expect(await other.checkpoint()).toMatchObject({ added: 0, unsound: [{ switchId: own.switchId, sequence: 5 }] })
  })
})

describe('startCheckpoints()', () => {
  it('makes them now and then until it is stopped, and survives failures', async () => {
    const { ledger, db } = await aLedger()
    const count = () => db.collection('ledger_checkpoints').countDocuments()
    await ledger.append(readings(1))
    const stop = ledger.startCheckpoints(5)
    await eventually('the first', async () => (await count()) === 1)
    const tiles = await db.collection('ledger_tiles').find().toArray()
    await db.collection('ledger_tiles').deleteMany({})
    await ledger.append(readings(1))
    await sleep(50)
    expect(await count()).toBe(1)
    await db.collection('ledger_tiles').insertMany(tiles)
    await eventually('the second', async () => (await count()) === 2)
    await stop()
    await ledger.append(readings(1))
    await sleep(50)
    expect(await count()).toBe(2)
  })

  it('ends with the handle', async () => {
    const { volt, ledger } = await aLedger()
    const stop = ledger.startCheckpoints(5)
    await volt.close()
    await stop()
  })
})

describe('a log that passes from one key to another', () => {
  const next = generateLogKeys('school.example/energy')
  const foreign = generateLogKeys('school.example/other')

  it('is signed by both for a while, then by the new one alone, and whoever knows either can follow', async () => {
    const { ledger: old, database } = await aLedger()
    await old.append(readings(2))
    const first = (await old.checkpoint()).checkpoint?.note ?? ''
    const { ledger: both } = await aLedger(database, [keys.signerKey, next.signerKey])
    await both.append(readings(2))
    const second = (await both.checkpoint()).checkpoint?.note ?? ''
    const { ledger: renewed } = await aLedger(database, [next.signerKey], [keys.verifierKey])
    await renewed.append(readings(2))
    const third = (await renewed.checkpoint()).checkpoint?.note ?? ''
    for (const knownCheckpoint of [first, second, third])
      expect(await renewed.verify({ knownCheckpoint })).toMatchObject({ valid: true, coveredEntries: 6 })
    // Somebody with the old key alone believes what it has signed, and names what it has not.
    const report = await old.verify({ knownCheckpoint: second })
    expect(report.findings).toMatchObject([{ damage: 'bad_signature', checkpointSize: 6 }])
    expect(report.checkpoint?.size).toBe(4)
    const proof = await renewed.proveConsistency(2, 6)
    expect(verifyConsistency(proof, [keys.verifierKey, next.verifierKey])).toEqual({ valid: true })
    expect(verifyConsistency(proof, [next.verifierKey]).valid).toBe(false)
  })

  it('whose old key is lost goes on with a new one, and is still compared with what the old one has signed', async () => {
    const { ledger: old, database, db } = await aLedger()
    const own = aSwitchInLedger()
    await old.append(readings(4, own))
    const knownCheckpoint = (await old.checkpoint()).checkpoint?.note ?? ''
    const { ledger } = await aLedger(database, [next.signerKey], [keys.verifierKey])
    await ledger.append(readings(2, own, 'later'))
    expect(await ledger.checkpoint()).toMatchObject({ added: 2, checkpoint: { size: 6 } })
    expect(await ledger.verify({ knownCheckpoint })).toMatchObject({ valid: true, coveredEntries: 6 })
    await db.collection('power_consumption_ledger').deleteMany({ sequence: { $gt: 2 } })
    expect((await ledger.verify({ knownCheckpoint })).findings).toMatchObject([{ damage: 'truncated', sequence: 3 }])
  })

  it('does not take the key of another log', async () => {
    await expect(aLedger(setUpDatabase(), [keys.signerKey, foreign.signerKey])).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
  })
})
