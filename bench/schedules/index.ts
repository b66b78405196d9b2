import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import { type Group, type Row, valueRow } from '../harness.js'
import type { SchedulerTask } from './scheduler-process.js'

const count = 100_000
const processes = 4
const switchesEach = 50
const beforeDue = '2026-03-02T11:00:00Z'
const due = '2026-03-02T12:00:00Z'
const program = fileURLToPath(new URL('./scheduler-process.ts', import.meta.url))

/** Schedules that are due in the same minute, and four processes that put what they ask for into a queue with a unique key. */
export const schedules: Group = async ({ say }) => {
  await using replicaSet = await startReplicaSet()
  const dbName = 'bench'
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName, clock: { now: () => new Date(beforeDue) } })
  await volt.setup()
  await seed(volt, say)
  say(`${processes} processes do what is due`)
  const task: SchedulerTask = { uri: replicaSet.uri, dbName, nowMs: Date.parse(due) + 1_000, expected: count }
  const children = Array.from({ length: processes }, () =>
    fork(program, [JSON.stringify(task)], { execArgv: ['--import', 'tsx'] }),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const startedMs = Date.now()
  for (const child of children) child.send('go')
  const answers = await Promise.all(children.map((child) => once(child, 'message')))
  const seconds = (Math.max(...answers.map(([lastMs]) => Number(lastMs))) - startedMs) / 1_000
  await requireEachOnce(volt)
  return rowsOf(seconds)
}

function rowsOf(seconds: number): Row[] {
  return [valueRow('schedules.100000-due-in-a-minute', 's', { value: seconds }, { atMost: 30 })]
}

async function seed(volt: AutoVolt, say: (text: string) => void): Promise<void> {
  say(`${count} schedules, all at ${due}`)
  const room = await volt.classrooms.create({ name: 'Hall', timeZone: 'UTC' })
  for (let made = 0; made < count; made += 1_000) {
    const devices = await volt.devices.createMany(
      Array.from({ length: 1_000 / switchesEach }, (_, at) => ({
        name: `Box ${made / switchesEach + at}`,
        macAddress: (made / switchesEach + at + 0x02_00_00_00_00_00).toString(16).padStart(12, '0'),
        classroom: room._id,
        switches: Array.from({ length: switchesEach }, (_, gpio) => ({ name: `Light ${gpio}`, gpio, powerRating: 60 })),
      })),
    )
    const targets = devices.flatMap((device) => device.switches.map(({ _id }) => _id))
    await volt.schedules.createMany(
      targets.map((id, at) => ({
        name: `Noon ${made + at}`,
        target: { kind: 'switch' as const, id },
        rule: { type: 'time' as const, at: '12:00' },
        action: { command: 'turn_on' },
      })),
    )
  }
}

async function requireEachOnce(volt: AutoVolt): Promise<void> {
  const queued = await volt.database.native.collection('queue').countDocuments()
  const moved = await volt.schedules.count({ nextKey: '2026-03-03T12:00' })
  if (queued !== count || moved !== count)
    throw new Error(`Not each once: ${queued} actions, ${moved} schedules moved on`)
}
