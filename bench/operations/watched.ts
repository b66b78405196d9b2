import type { AutoVolt } from '@autovolt/data'
import { registerMetrics } from '@autovolt/data/prometheus'
import type { ObjectId } from 'mongodb'
import * as client from 'prom-client'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'

const documents = 2_000
const calls = 400
/** The bar is narrow: many short rounds, one after the other. */
const times = 10

/** `create` and `get` with the driver's events, `measureCalls()` and metrics, beside the same without. Milliseconds per call. */
export async function benchWatched(plain: AutoVolt, watched: AutoVolt, { rounds, say }: GroupContext): Promise<Row[]> {
  say('watching: create, get')
  const registry = new client.Registry()
  registerMetrics(watched, { client, registry })
  watched.operations.measureCalls()
  const rooms = await plain.classrooms.createMany(
    Array.from({ length: documents }, (_, n) => ({ name: `room ${n}`, building: 'A', capacity: 30 })),
  )
  const idAt = (n: number) => (rooms[(n * 7919) % rooms.length] as { _id: ObjectId })._id
  let n = 0
  const create = (volt: AutoVolt) => () =>
    perCall(() => volt.classrooms.create({ name: `new ${++n}`, building: 'B', capacity: 30, timeZone: 'Asia/Kolkata' }))
  const get = (volt: AutoVolt) => () => perCall(() => volt.classrooms.get(idAt(++n)))
  for (const volt of [plain, watched]) {
    await create(volt)()
    await get(volt)()
  }
  const creating = await alternate(rounds * times + 1, create(watched), create(plain))
  const getting = await alternate(rounds * times + 1, get(watched), get(plain))
  if (!(await registry.metrics()).includes('command="find"')) throw new Error('Nothing was measured')
  return [
    ratioRow('watched.create', 'ms', creating, { atMost: 1.03 }),
    ratioRow('watched.get', 'ms', getting, { atMost: 1.03 }),
  ]
}

async function perCall(call: () => Promise<unknown>): Promise<number> {
  const seconds = await secondsOf(async () => {
    for (let done = 0; done < calls; done += 1) await call()
  })
  return (seconds / calls) * 1000
}
