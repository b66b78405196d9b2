import type { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { type GroupContext, type Row, valueRow } from '../harness.js'

const batch = 10_000
const rooms = 1_000
const calls = 1_000
const roles = [
  'student',
  'student',
  'student',
  'student',
  'student',
  'student',
  'faculty',
  'user',
  'admin',
  'super-admin',
]

/** The id of the n-th user. */
export function userId(n: number): ObjectId {
  return ObjectId.createFromHexString((n + 1).toString(16).padStart(24, '0'))
}

/** Finding users among a million. Milliseconds that 95 of 100 calls take at most. */
export async function benchUsers(volt: AutoVolt, { documents, say }: GroupContext): Promise<Row[]> {
  say(`people: ${documents} users`)
  const classrooms = Array.from({ length: rooms }, () => new ObjectId())
  await fill(volt, documents, classrooms)
  say('people: finding them')
  const addressOf = (n: number) => `user-${(n * 7919) % documents}@bench.example`
  const byEmail = await percentile95(async (n) => {
    if ((await volt.users.findByEmail(addressOf(n))) === null) throw new Error('A user is missing')
  })
  const byAuth = await percentile95(async (n) => {
    const found = await volt.users.findByAuth('google', String((n * 7919) % documents))
    if (found === null) throw new Error('A user is missing')
  })
  const byRole = await percentile95((n) => {
    const assignedClassrooms = classrooms[n % rooms] as ObjectId
    return volt.users.find({ role: 'student', assignedClassrooms }, { sort: { name: 1 }, limit: 50 })
  })
  return [
    valueRow('users.find-by-email', 'ms', { value: byEmail }, { atMost: 10 }),
    valueRow('users.find-by-auth', 'ms', { value: byAuth }, { atMost: 10 }),
    valueRow('users.by-role-and-classroom', 'ms', { value: byRole }, { atMost: 10 }),
  ]
}

/** Through the driver: what is measured is the reading. */
async function fill(volt: AutoVolt, documents: number, classrooms: readonly ObjectId[]): Promise<void> {
  const users = volt.database.native.collection('users')
  const now = new Date()
  for (let start = 0; start < documents; start += batch) {
    const made = Array.from({ length: Math.min(batch, documents - start) }, (_, at) => {
      const n = start + at
      return {
        _id: userId(n),
        email: `user-${n}@bench.example`,
        authKeys: [`google:${n}`],
        name: `User ${n}`,
        role: roles[n % roles.length],
        userType: 'consumer',
        status: 'active',
        assignedClassrooms: [classrooms[n % rooms], classrooms[(n * 31) % rooms]],
        createdAt: now,
        updatedAt: now,
        __v: 0,
        deletedAt: null,
      }
    })
    await users.insertMany(made, { ordered: false })
  }
}

async function percentile95(call: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < calls; n += 1) {
    const startedMs = performance.now()
    await call(n)
    times.push(performance.now() - startedMs)
  }
  return times.sort((a, b) => a - b)[Math.floor(calls * 0.95)] ?? Number.NaN
}
