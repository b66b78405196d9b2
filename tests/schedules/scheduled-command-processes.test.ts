import { type Db, MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aClassroom, aDevice, aSwitch } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { openVolt } from '../support/volt.js'

const dbName = 'scheduled_commands'
let uri: string
let admin: Db
let volt: AutoVolt

// Its own server, as it is made to hold up the commands of a process that is about to be killed.
beforeAll(async () => {
  uri = (await startMongodProcess({ args: ['--setParameter', 'enableTestCommands=1'] })).uri
  const client = new MongoClient(uri)
  cleanUpLater(() => client.close())
  admin = client.db('admin')
  volt = await openVolt({ uri, dbName }, { clock: { now: () => new Date('2026-03-02T06:00:00Z') } })
  await volt.setup()
})

async function startScheduler(appName: string) {
  const child = startChild(new URL('./processes/command-scheduler.ts', import.meta.url), {
    env: { MONGODB_URI: `${uri}&appName=${appName}`, DB_NAME: dbName, NOW: '2026-03-02T12:00:01Z' },
  })
  await child.next('ready')
  child.send({ type: 'go' })
  return child
}

/** Kills a process with SIGKILL while the server holds up its first command of this name to this collection. */
async function killAt(command: 'insert' | 'update', collection: string): Promise<void> {
  const appName = `killed-at-${command}`
  const { count } = await admin.command({
    configureFailPoint: 'failCommand',
    mode: 'alwaysOn',
    data: {
      failCommands: [command],
      namespace: `${dbName}.${collection}`,
      appName,
      blockConnection: true,
      blockTimeMS: 3_000,
    },
  })
  const child = await startScheduler(appName)
  await admin.command({ waitForFailPoint: 'failCommand', timesEntered: count + 1, maxTimeMS: 60_000 })
  await child.kill()
  await admin.command({ configureFailPoint: 'failCommand', mode: 'off' })
}

it('gives each relay one command of a run, though processes are killed before and after they have queued it', async () => {
  const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'UTC' }))
  const pins = [16, 17, 18, 19]
  const devices = await volt.devices.createMany(
    Array.from({ length: 40 }, () =>
      aDevice({ classroom, switches: pins.map((gpio) => aSwitch({ gpio, name: `Relay ${gpio}` })) }),
    ),
  )
  const noon = { type: 'time', at: '12:00' } as const
  const action = { command: 'turn_on' }
  const [inRoom, ofDevices] = [devices.slice(0, 10), devices.slice(10)]
  const { _id: otherRoom } = await volt.classrooms.create(aClassroom({ timeZone: 'UTC' }))
  for (const { _id } of ofDevices) await volt.devices.update(_id, { classroom: otherRoom })
  await volt.schedules.createMany([
    { name: 'The room', target: { kind: 'classroom', id: classroom }, rule: noon, action },
    ...ofDevices.map(({ _id }) => ({
      name: 'A device',
      target: { kind: 'device' as const, id: _id },
      rule: noon,
      action,
    })),
  ])

  await killAt('insert', 'device_commands')
  await killAt('update', 'schedules')
  expect(await volt.commands.count()).toBeGreaterThan(0)
  expect(await volt.schedules.count({ nextKey: '2026-03-02T12:00' })).toBeGreaterThan(0)

  const living = await Promise.all(['third', 'fourth', 'fifth'].map(startScheduler))
  const due = () => volt.schedules.count({ nextKey: '2026-03-02T12:00' })
  // What the killed ones had is free once their leases of 15 s have ended.
  await eventually('nothing is due', async () => (await due()) === 0, { timeoutMs: 90_000, everyMs: 200 })
  await Promise.all(living.map((child) => child.kill()))

  const commands = await volt.commands.find({}, { limit: 1_000, select: ['switchId', 'status'] })
  const relays = [...inRoom, ...ofDevices].flatMap(({ switches }) => switches.map(({ _id }) => _id.toHexString()))
  expect(commands.map(({ switchId }) => String(switchId)).toSorted()).toEqual(relays.toSorted())
  expect(commands.every(({ status }) => status === 'queued')).toBe(true)
}, 600_000)
