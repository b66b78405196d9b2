import type { AutoVolt } from '@autovolt/data'
import { defineMigration } from '@autovolt/data/migrations'
import type { ClientSession } from 'mongodb'
import { alternate, type GroupContext, median, type Row, ratioRow, secondsOf, valueRow } from '../harness.js'
import { openWith } from './open.js'

const count = 100
const durable = { writeConcern: { w: 'majority', journal: true } } as const

function insertingOne(n: number) {
  return defineMigration({
    id: `${String(n).padStart(4, '0')}-insert`,
    transaction: true,
    up: async ({ db }) => db.collection('effects').insertOne({ n }),
  })
}

/** 100 migrations as `create` writes them that insert a document each, and the writes that each makes, bare. */
export async function benchTrivial(uri: string, { rounds, say }: GroupContext): Promise<Row[]> {
  const list = Array.from({ length: count }, (_, n) => insertingOne(n))
  const measured = await alternate(
    rounds,
    async (round) => {
      say(`migrations: ${count} trivial ones, round ${round + 1}`)
      await using volt = await openWith(uri, `trivial-${round}`, list)
      // Awaited here: the handle is closed when this returns.
      return await secondsOf(() => volt.migrations.migrate())
    },
    async (round) => {
      await using volt = await openWith(uri, `bare-${round}`)
      return await secondsOf(() => writeBare(volt.database))
    },
  )
  return [ratioRow('migrations.trivial', 's', measured, { atMost: 1.3 })]
}

/** Started; then the effect, and that it is finished. Each in a transaction with the look at the lock. */
async function writeBare({ client, native: db }: AutoVolt['database']): Promise<void> {
  const [records, history, effects] = [
    db.collection('bare_records'),
    db.collection('bare_history'),
    db.collection('effects'),
  ]
  const leases = db.collection('bare_leases')
  await leases.insertOne({ name: 'migrations', fence: 1 })
  const inTransaction = (work: (options: { session: ClientSession }) => Promise<unknown>) =>
    client.withSession((session) => session.withTransaction(() => work({ session }), durable))
  const guard = (options: { session: ClientSession }) =>
    leases.updateOne({ name: 'migrations', fence: 1 }, { $inc: { n: 1 } }, options)
  for (let n = 0; n < count; n += 1) {
    const name = String(n)
    await inTransaction(async (options) => {
      await guard(options)
      await records.updateOne(
        { name },
        { $set: { state: 'running', startedAt: new Date() } },
        { ...options, upsert: true },
      )
    })
    await inTransaction(async (options) => {
      await guard(options)
      await effects.insertOne({ n }, options)
      await records.updateOne({ name }, { $set: { state: 'applied', executed_at: new Date() } }, options)
      await history.insertOne({ name, at: new Date() }, options)
    })
  }
}

const applied = 1_000
const asked = 50

/** How long `status` takes where 1,000 migrations are applied, ms. */
export async function benchStatus(uri: string, { say }: GroupContext): Promise<Row[]> {
  say(`migrations: status of ${applied}`)
  const list = Array.from({ length: applied }, (_, n) => insertingOne(n))
  await using volt = await openWith(uri, 'status', list)
  await volt.migrations.baseline(list.at(-1)?.id ?? '')
  const times: number[] = []
  for (let n = 0; n < asked; n += 1) times.push(1000 * (await secondsOf(() => volt.migrations.status())))
  return [valueRow('migrations.status', 'ms', { value: median(times) }, { atMost: 20 })]
}
