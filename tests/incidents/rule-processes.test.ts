import type { ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { aClassroom, aDevice } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'
import { naiveEvents } from './support/naive-rule.js'

const database = testDatabase()
const startMs = Date.parse('2026-03-02T08:00:00Z')
const now = new Date(startMs + 12 * 3_600_000)
const limits = { raiseAt: 250, clearAt: 245, holdMs: 30_000, clearHoldMs: 20_000, gapMs: 60_000 }
const [devices, each, turns] = full ? [12, 4_000, 3] : [8, 2_000, 2]

/** Every ten seconds, up and down, each device at a pace of its own. */
const readingsOf = (device: number) =>
  Array.from({ length: each }, (_, place) => ({
    atMs: startMs + place * 10_000 + device,
    value: 247 + 7 * Math.sin(place / (9 + device)) + ((place * 7 + device) % 5) - 2,
  }))

it('opens and closes alerts as the naive model says, by four processes that are killed on the way', async () => {
  const volt = await openVolt(database, { clock: { now: () => now } })
  await volt.setup()
  const { _id: classroom } = await volt.classrooms.create(aClassroom())
  const rule = await volt.alertRules.create({ name: 'Too high', kind: 'over_voltage', severity: 'high', ...limits })
  const ids: ObjectId[] = []
  for (let device = 0; device < devices; device += 1) {
    const { _id } = await volt.devices.create(aDevice({ classroom }))
    ids.push(_id)
    await volt.measurements.insert(
      readingsOf(device).map(({ atMs, value }) => ({
        timestamp: new Date(atMs),
        meta: { device: _id },
        voltage: value,
      })),
    )
  }
  const createdAt = new Date()
  await database.db
    .collection('alert_cursors')
    .insertOne({ name: 'readings', through: new Date(startMs - 1), createdAt, updatedAt: createdAt, __v: 0 })
  const startRuler = async () => {
    const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, NOW: now.toISOString() }
    const child = startChild(new URL('./processes/ruler.ts', import.meta.url), { env })
    await child.next('ready', 120_000)
    return child
  }
  const alerts = database.db.collection('alerts')
  let children = await Promise.all([1, 2, 3, 4].map(startRuler))
  for (let turn = 1; turn <= turns; turn += 1) {
    const before = await alerts.countDocuments()
    await eventually('more alerts are opened, or all is done', async () => {
      const isDone = children.some(({ messages }) => messages.some(({ type }) => type === 'done'))
      return isDone || (await alerts.countDocuments()) > before + 20
    })
    // All of them, so that whichever had the lease is killed in the midst of it.
    await Promise.all(children.map((child) => child.kill()))
    children = await Promise.all([1, 2, 3, 4].map(startRuler))
  }
  for (const child of children) await child.next('done', 240_000)
  for (const [device, id] of ids.entries()) {
    const found = await alerts
      .find({ key: `rule:${rule._id}:${id}` })
      .sort({ sequence: 1 })
      .toArray()
    const events = found.flatMap(({ timestamp, resolvedAt }) => [
      { event: 'open', atMs: timestamp.getTime() },
      ...(resolvedAt === undefined ? [] : [{ event: 'close', atMs: resolvedAt.getTime() }]),
    ])
    expect(events).toEqual(naiveEvents(readingsOf(device), limits))
    expect(found.every(({ occurrences }) => occurrences === 1)).toBe(true)
  }
}, 420_000)
