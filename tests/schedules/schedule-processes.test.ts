import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aClassroom, aDevice, aSwitch } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const queue = database.db.collection<{ _id: string }>('queue')
const schedules = database.db.collection('schedules')
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock: { now: () => new Date('2026-03-02T06:00:00Z') } })
  await volt.setup()
})

const startScheduler = async () => {
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, NOW: '2026-03-02T12:00:01Z', PAUSE_MS: '50' }
  const child = startChild(new URL('./processes/scheduler.ts', import.meta.url), { env })
  await child.next('ready')
  child.send({ type: 'go' })
  return child
}

it('comes to each action once, by processes that are killed, and one that is frozen past its lease', async () => {
  const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'UTC' }))
  const pins = [2, 4, 5, 12, 13, 14, 15, 16, 17, 18, 19, 21]
  const switches = () => pins.map((gpio) => aSwitch({ gpio, name: `Switch ${gpio}` }))
  const devices = await volt.devices.createMany(
    Array.from({ length: 150 }, () => aDevice({ classroom, switches: switches() })),
  )
  const targets = devices.flatMap((device) => device.switches.map(({ _id }) => _id))
  const made = await volt.schedules.createMany(
    targets.map((id, at) => ({
      name: `Schedule ${at}`,
      target: { kind: 'switch' as const, id },
      rule: { type: 'time' as const, at: '12:00' },
      action: { command: 'turn_on' },
    })),
  )
  const children = await Promise.all([1, 2, 3, 4].map(startScheduler))
  await eventually('the first are done', async () => (await queue.countDocuments()) > 0, { timeoutMs: 120_000 })
  process.kill(children[0]?.pid ?? 0, 'SIGSTOP')
  await children[1]?.kill()
  await sleep(500)
  await children[2]?.kill()
  children.push(await startScheduler())
  await eventually(
    'nothing is due',
    async () => (await schedules.countDocuments({ nextAt: { $lt: new Date('2026-03-03') } })) === 0,
    {
      timeoutMs: 120_000,
      everyMs: 200,
    },
  )
  process.kill(children[0]?.pid ?? 0, 'SIGCONT')
  await sleep(1_000)
  const keys = (await queue.find().toArray()).map(({ _id }) => _id)
  expect(keys.toSorted()).toEqual(made.map(({ _id }) => `${_id.toHexString()} 2026-03-02T12:00`).toSorted())
  expect(
    await schedules.countDocuments({ nextAt: new Date('2026-03-03T12:00:00Z'), nextKey: '2026-03-03T12:00' }),
  ).toBe(made.length)
  // Living processes do not repeat each other: only what a killed one had handed over comes again.
  const living = [children[3], children[4]].filter((child) => child !== undefined)
  for (const child of living) child.send({ type: 'count' })
  const counts = await Promise.all(living.map((child) => child.next('counted')))
  expect(counts.reduce((sum, { repeated }) => sum + Number(repeated), 0)).toBeLessThanOrEqual(3 * 500)
  await Promise.all(children.map((child) => child.kill()))
}, 600_000)

it('that is saved a hundred times by several handles at once runs once', async () => {
  const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'UTC' }))
  const { _id } = await volt.devices.create(aDevice({ classroom }))
  const schedule = await volt.schedules.create({
    name: 'Saved again and again',
    target: { kind: 'classroom', id: classroom },
    rule: { type: 'time', at: '12:00' },
    action: { command: 'turn_off' },
  })
  const handles = await Promise.all([1, 2, 3, 4].map(() => openVolt(database, { clock: volt.database.clock })))
  await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      handles[at % 4]?.schedules.update(schedule._id, { rule: { type: 'time', at: '12:00' } }),
    ),
  )
  const child = await startScheduler()
  await eventually('it is done', async () => (await volt.schedules.get(schedule._id)).lastRun !== undefined, {
    timeoutMs: 120_000,
  })
  expect(await queue.countDocuments({ _id: { $regex: schedule._id.toHexString() } })).toBe(1)
  await child.kill()
  await volt.devices.delete(_id)
}, 600_000)
