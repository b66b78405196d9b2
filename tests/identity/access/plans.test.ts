import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { aDevice, aUser } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
const rooms = Array.from({ length: 80 }, () => new ObjectId())
const perRoom = 40
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  const devices = rooms.flatMap((classroom) =>
    Array.from({ length: perRoom }, () => aDevice({ classroom, switches: [] })),
  )
  for (let at = 0; at < devices.length; at += 1_000) await volt.devices.createMany(devices.slice(at, at + 1_000))
})

async function memberOf(count: number) {
  const user = await volt.users.create(aUser({ role: 'student', assignedClassrooms: rooms.slice(0, count) }))
  for (let own = 0; own < 5; own += 1)
    await volt.devices.create(aDevice({ classroom: rooms.at(-1) ?? user._id, owner: user._id, switches: [] }))
  return user
}

/** What the server notes of the query that the work sends. */
async function profiled(work: () => Promise<unknown>) {
  await database.db.command({ profile: 2 })
  try {
    await work()
  } finally {
    await database.db.command({ profile: 0 })
  }
  const [found] = await database.db
    .collection('system.profile')
    .find({ ns: `${database.dbName}.devices`, op: 'query' })
    .sort({ ts: -1 })
    .limit(1)
    .toArray()
  return found
}

describe('a page of the devices that a user may see', () => {
  it.each([1, 10, 50])('is read along indexes with %d classrooms, examined at most twice', async (count) => {
    const user = await memberOf(count)
    const bound = volt.as(user)
    let total = 0
    const found = await profiled(async () => {
      total = (await bound.devices.page({}, { sort: { name: 1 }, limit: 50 })).total
    })
    expect(total).toBe(count * perRoom + 5)
    expect(found?.nreturned).toBe(Math.min(50, total))
    expect(found?.planSummary).not.toContain('COLLSCAN')
    expect(found?.hasSortStage).toBeUndefined()
    expect(found?.docsExamined).toBeLessThanOrEqual(2 * (found?.nreturned ?? 0))
    // The first key of each classroom, and of what is the user's own.
    expect(found?.keysExamined).toBeLessThanOrEqual(2 * (found?.nreturned ?? 0) + count + 1)
  })

  it('has the caller’s conditions in each branch, and no document twice', async () => {
    const user = await memberOf(3)
    const room = rooms[0] as ObjectId
    await volt.devices.create(aDevice({ classroom: room, owner: user._id, name: 'Both mine and here' }))
    const bound = volt.as(user)
    const { total, items } = await bound.devices.page({ classroom: room }, { sort: { name: 1 }, limit: 1_000 })
    expect(total).toBe(await volt.devices.count({ classroom: room }))
    expect(new Set(items.map(({ _id }) => String(_id))).size).toBe(total)
    const seen: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const slice = await bound.devices.after({ classroom: room }, { sort: { name: 1 }, limit: 7, cursor })
      seen.push(...slice.items.map(({ name }) => name))
      cursor = slice.nextCursor
    }
    expect(seen).toEqual(items.map(({ name }) => name))
  })

  it('beyond fifty classrooms has the right total still', async () => {
    const user = await memberOf(80)
    const { total, items } = await volt.as(user).devices.page({}, { sort: { name: 1 }, limit: 50 })
    expect(total).toBe(await volt.devices.count())
    const expected = await volt.devices.find({}, { sort: { name: 1 }, limit: 50 })
    expect(items.map(({ name }) => name)).toEqual(expected.map(({ name }) => name))
  })
})
