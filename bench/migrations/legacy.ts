import type { RunEvent } from '@autovolt/data/migrations'
import { type Collection, type Db, type Document, ObjectId } from 'mongodb'
import { type GroupContext, type Row, secondsOf, valueRow } from '../harness.js'
import { openWith } from './open.js'

const devices = 100
const switchesPerDevice = 8
const perInsert = 10_000
const perPage = 1_000
/** The textbook loop skips ever further: a tenth of the records is enough to see its pace. */
const textbookShare = 10
const startMs = Date.parse('2024-01-01T00:00:00Z')
const hourMs = 3_600_000
const mebibyte = 2 ** 20

/** Chained entries a second that records of `power_consumption` become, with the comparison of all totals; and how much memory grows on the way. */
export async function benchLegacy(uri: string, { documents, say }: GroupContext): Promise<Row[]> {
  await using volt = await openWith(uri, 'legacy')
  const { native } = volt.database
  const { migrations } = await volt.migrations.status()
  const { id = '' } = migrations.findLast((one) => one.id.startsWith('autovolt-')) ?? {}
  await volt.setup()
  say(`migrations: ${documents} records to the ledger`)
  await makeRecords(native, documents)
  await volt.migrations.repair(id, 'not-applied')
  const rss: number[] = []
  const onEvent = (event: RunEvent) => {
    if (event.type === 'progress') rss.push(process.memoryUsage().rss)
  }
  const seconds = await secondsOf(() => volt.migrations.migrate({ onEvent }))
  const entries = await native.collection('power_consumption_ledger').estimatedDocumentCount()
  if (entries !== 2 * documents) throw new Error(`${entries} entries were made of ${documents} records`)
  const warm = Math.max(...rss.slice(0, Math.ceil(rss.length / 4)))
  const grownMiB = Math.max(0, (Math.max(...rss) - warm) / mebibyte)
  say(`migrations: the textbook loop on ${Math.ceil(documents / textbookShare)} records`)
  const textbook = await textbookRate(native, Math.ceil(documents / textbookShare))
  const value = entries / seconds
  return [
    valueRow(
      'migrations.legacy',
      'entries/s',
      { value, baseline: textbook, ratio: value / textbook },
      { atLeast: 20_000 },
    ),
    valueRow('migrations.legacy-memory', 'MiB more than in the first quarter', { value: grownMiB }, { atMost: 100 }),
  ]
}

async function makeRecords(db: Db, count: number): Promise<void> {
  const deviceIds = Array.from({ length: devices }, () => new ObjectId())
  const switchIds = deviceIds.map(() => Array.from({ length: switchesPerDevice }, () => new ObjectId()))
  const classroom = new ObjectId()
  for (let from = 0; from < count; from += perInsert) {
    const records = Array.from({ length: Math.min(perInsert, count - from) }, (_, at) => {
      const n = from + at
      const device = n % devices
      const turn = Math.floor(n / devices)
      const startTime = new Date(startMs + turn * hourMs)
      return {
        deviceId: deviceIds[device],
        switchId: switchIds[device]?.[turn % switchesPerDevice],
        classroom,
        startTime,
        endTime: new Date(startTime.getTime() + hourMs / 2),
        duration: hourMs / 2,
        powerRating: 100,
        energyConsumed: 50,
        cost: 0.375,
        ratePerKwh: 7.5,
        manualEntry: false,
        createdAt: startTime,
        updatedAt: startTime,
        __v: 0,
      }
    })
    await db.collection('power_consumption').insertMany(records, { bypassDocumentValidation: true })
  }
}

/** The origin's own migration: pages by skip and limit in the order of time, two documents each, without chain, hash or key. */
async function textbookRate(db: Db, records: number): Promise<number> {
  const old = db.collection('power_consumption')
  await old.createIndex({ startTime: 1 })
  const target = db.collection('textbook')
  const seconds = await secondsOf(async () => {
    for (let skip = 0; skip < records; skip += perPage) await migratePage(old, target, skip)
  })
  return (2 * records) / seconds
}

async function migratePage(old: Collection, target: Collection, skip: number): Promise<void> {
  const page = await old.find({}, { sort: { startTime: 1 }, skip, limit: perPage }).toArray()
  await target.insertMany(page.flatMap(textbookEntries))
}

function textbookEntries({
  _id,
  deviceId,
  switchId,
  classroom,
  startTime,
  endTime,
  energyConsumed,
  cost,
}: Document): Document[] {
  const common = { deviceId, switchId, classroom, metadata: { source: 'migration', originalRecordId: _id } }
  return [
    { ...common, timestamp: startTime, eventType: 'switch_on', cumulativeEnergy: 0, calculatedCost: 0 },
    { ...common, timestamp: endTime, eventType: 'switch_off', cumulativeEnergy: energyConsumed, calculatedCost: cost },
  ]
}
