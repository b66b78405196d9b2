import { randomBytes } from 'node:crypto'
import type { AutoVolt, LedgerEventInput } from '@autovolt/data'
import { Double, ObjectId } from 'mongodb'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'

const batchSize = 1000
const chains = 100

/** Appending hashed, chained entries in batches beside `insertMany` of the same documents with the same indexes. */
export async function benchAppend(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const perRound = Math.max(10 * batchSize, Math.floor(documents / (2 * rounds)))
  say(`ledger: append, ${perRound} entries a round`)
  const ledger = volt.entityOf('ledger')
  const plain = volt.database.native.collection('plain_ledger', { writeConcern: { w: 'majority', journal: true } })
  await plain.createIndexes(
    ledger.indexes.map(({ key, unique }) => ({ key: key as Record<string, 1>, ...(unique ? { unique } : {}) })),
  )
  const switches = Array.from({ length: chains }, () => ({
    switchId: new ObjectId(),
    deviceId: new ObjectId(),
    classroom: new ObjectId(),
  }))
  let serial = 0
  const nextBatch = () => Array.from({ length: batchSize }, () => eventOf(switches, serial++))
  const measured = await alternate(
    rounds,
    async () => {
      let seconds = 0
      for (let done = 0; done < perRound; done += batchSize) {
        const batch = nextBatch()
        seconds += await secondsOf(() => volt.ledger.append(batch))
      }
      return perRound / seconds
    },
    async () => {
      let seconds = 0
      for (let done = 0; done < perRound; done += batchSize) {
        const batch = nextBatch().map((event, at) => storedLike(event, Math.floor((serial - batchSize + at) / chains)))
        seconds += await secondsOf(() => plain.insertMany(batch))
      }
      return perRound / seconds
    },
  )
  await plain.drop()
  return [ratioRow('ledger.append-1000', 'entries/s', measured, { atLeast: 0.9 })]
}

type SwitchIds = { readonly switchId: ObjectId; readonly deviceId: ObjectId; readonly classroom: ObjectId }

function eventOf(switches: readonly SwitchIds[], n: number): LedgerEventInput {
  const at = new Date(1_760_000_000_000 + Math.floor(n / chains) * 5000)
  return {
    ...(switches[n % chains] as SwitchIds),
    timestamp: at,
    receivedAt: at,
    eventType: 'power_reading',
    powerState: true,
    powerRating: 60,
    energySource: 'power',
    reading: { powerW: 55 + (n % 10) },
    gapLimitMs: 60_000,
    ratePerKwh: 7.5,
    flags: [],
    metadata: { source: 'mqtt', voltage: 230.1, current: 0.26, powerFactor: 0.97, bootId: 'b1', deviceSequence: n },
    idempotencyKey: `v2:b1-${n}`,
  }
}

/** The document that an entry is stored as, made beforehand: no hashing, no chain. */
function storedLike(event: LedgerEventInput, sequence: number) {
  const { flags, metadata, idempotencyKey, reading, ...rest } = event
  return {
    _id: new ObjectId(),
    formatVersion: new Double(1),
    ...rest,
    sequence: new Double(sequence),
    powerRating: new Double(60),
    reading: { powerW: new Double(reading?.powerW ?? 0) },
    gapLimitMs: new Double(60_000),
    ratePerKwh: new Double(7.5),
    flags,
    metadata: {
      source: 'mqtt',
      voltage: new Double(230.1),
      current: new Double(0.26),
      powerFactor: new Double(0.97),
      bootId: 'b1',
      deviceSequence: new Double(sequence),
    },
    idempotencyKey,
    cumulativeEnergy: new Double(sequence * 300),
    cumulativeProduction: new Double(0),
    calculatedCost: new Double(sequence * 0.0006),
    previousHash: randomBytes(32).toString('hex'),
    hash: randomBytes(32).toString('hex'),
  }
}
