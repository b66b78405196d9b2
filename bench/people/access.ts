import type { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { macOf } from '../devices/fleet.js'
import { alternate, type GroupContext, type Row, ratioRow } from '../harness.js'

const batch = 10_000
const perRoom = 50
const assigned = 50
const ownDevices = 10
const calls = 200
const pageSize = 50

/** A page of devices as a user with fifty classrooms and some devices of its own sees it, by the driver's query written by hand. */
export async function benchAccess(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const count = Math.max(Math.floor(documents / 10), perRoom * assigned * 2)
  say(`people: ${count} devices`)
  const classrooms = Array.from({ length: Math.ceil(count / perRoom) }, () => new ObjectId())
  const assignedClassrooms = classrooms.slice(0, assigned)
  const user = await volt.users.create({
    email: 'access@bench.example',
    name: 'Access',
    role: 'faculty',
    assignedClassrooms,
  })
  await fill(volt, count, classrooms, user._id)
  say('people: a page of the devices that a user may see')
  const bound = volt.as(user)
  const collection = volt.database.native.collection('devices')
  const query = {
    $or: [
      { classroom: { $in: assignedClassrooms }, deletedAt: null },
      { owner: user._id, deletedAt: null },
    ],
  }
  const measured = await alternate(
    rounds,
    () =>
      timePerCall(async () => {
        const { items } = await bound.devices.page({}, { sort: { name: 1 }, limit: pageSize })
        return items.length
      }),
    () =>
      timePerCall(async () => {
        const found = collection
          .find(query, { projection: { secret: 0 } })
          .sort({ name: 1, _id: 1 })
          .limit(pageSize)
        const [items] = await Promise.all([found.toArray(), collection.countDocuments(query)])
        return items.length
      }),
  )
  return [ratioRow('access.page-of-devices', 'ms', measured, { atMost: 1.3 })]
}

/** Milliseconds. */
async function timePerCall(page: () => Promise<number>): Promise<number> {
  const startedMs = performance.now()
  for (let call = 0; call < calls; call += 1) {
    if ((await page()) !== pageSize) throw new Error('A page has too few devices')
  }
  return (performance.now() - startedMs) / calls
}

/** Through the driver: what is measured is the reading. */
async function fill(volt: AutoVolt, count: number, classrooms: readonly ObjectId[], owner: ObjectId): Promise<void> {
  const devices = volt.database.native.collection('devices')
  const now = new Date()
  for (let start = 0; start < count; start += batch) {
    const made = Array.from({ length: Math.min(batch, count - start) }, (_, at) => {
      const n = start + at
      return {
        name: `Device ${(n * 7919) % count}`,
        type: 'esp32',
        protocol: 'mqtt',
        macAddress: macOf(n),
        classroom: classrooms[n % classrooms.length],
        ...(n % Math.floor(count / ownDevices) === 7 ? { owner } : {}),
        assignedUsers: [],
        service: 'active',
        status: 'offline',
        capabilities: [],
        energyRole: 'consumption',
        switches: [
          {
            _id: new ObjectId(),
            name: 'Lights',
            gpio: 16,
            type: 'light',
            powerRating: 40,
            energySource: 'rated',
            manualOverride: false,
          },
        ],
        createdAt: now,
        updatedAt: now,
        __v: 0,
        deletedAt: null,
      }
    })
    await devices.insertMany(made, { ordered: false })
  }
}
