import type { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'

const calls = 1500
const documents = 20_000

/** `create`, `get` and a page of 50 beside the same calls of the plain driver. Milliseconds per call. */
export async function benchRepository(volt: AutoVolt, { rounds, say }: GroupContext): Promise<Row[]> {
  say('repository: create, get, page')
  const plain = volt.database.native.collection('classrooms')
  const ids = await fill(volt)
  const idAt = (n: number) => ids[(n * 7919) % ids.length] as ObjectId
  let serial = 0
  const create = await alternate(
    rounds * 2 + 1,
    () =>
      perCall(() =>
        volt.classrooms.create({ name: `ours ${++serial}`, building: 'B', capacity: 30, timeZone: 'Asia/Kolkata' }),
      ),
    () =>
      perCall(() => {
        const now = new Date()
        return plain.insertOne({
          _id: new ObjectId(),
          name: `plain ${++serial}`,
          building: 'B',
          capacity: 30,
          timeZone: 'Asia/Kolkata',
          createdAt: now,
          updatedAt: now,
          __v: 0,
          deletedAt: null,
        })
      }),
  )
  let n = 0
  const get = await alternate(
    rounds * 2 + 1,
    () => perCall(() => volt.classrooms.get(idAt(++n))),
    () => perCall(() => plain.findOne({ _id: idAt(++n), deletedAt: null })),
  )
  const filter = { building: 'A' }
  const page = await alternate(
    rounds * 2 + 1,
    () =>
      perCall(() => volt.classrooms.page(filter, { page: (++n % 20) + 1, limit: 50, sort: { name: 1 } }), calls / 10),
    () =>
      perCall(
        () =>
          Promise.all([
            plain
              .find({ ...filter, deletedAt: null }, { sort: { name: 1, _id: 1 }, skip: (++n % 20) * 50, limit: 50 })
              .toArray(),
            plain.countDocuments({ ...filter, deletedAt: null }),
          ]),
        calls / 10,
      ),
  )
  return [
    ratioRow('repository.create', 'ms', create, { atMost: 1.25 }),
    ratioRow('repository.get', 'ms', get, { atMost: 1.15 }),
    ratioRow('repository.page-of-50', 'ms', page, { atMost: 1.15 }),
  ]
}

async function fill(volt: AutoVolt): Promise<ObjectId[]> {
  const ids: ObjectId[] = []
  for (let start = 0; start < documents; start += 1000) {
    const rooms = Array.from({ length: 1000 }, (_, at) => ({
      name: `room ${start + at}`,
      building: (start + at) % 10 === 0 ? 'A' : 'C',
      capacity: 30,
    }))
    for (const { _id } of await volt.classrooms.createMany(rooms)) ids.push(_id)
  }
  return ids
}

async function perCall(call: () => Promise<unknown>, count = calls): Promise<number> {
  const seconds = await secondsOf(async () => {
    for (let at = 0; at < count; at += 1) await call()
  })
  return (seconds * 1000) / count
}
