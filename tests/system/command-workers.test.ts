import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { aDevice, aSwitch } from '../support/builders.js'
import { type Child, startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const leaseMs = 2_000

interface Sending {
  readonly command: { toHexString(): string }
  readonly attempt: number
  readonly pid: number
  readonly at: Date
}

it('sends each command once at a time and loses none, whoever is killed or frozen past its lease', async () => {
  const volt = await openVolt(database)
  await volt.setup()
  const count = full ? 200 : 40
  const gpios = [16, 17, 18, 19, 21, 22]
  const devices = await volt.devices.createMany(
    Array.from({ length: count }, () => aDevice({ switches: gpios.map((gpio) => aSwitch({ gpio })) })),
  )
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, LEASE_MS: String(leaseMs) }
  const work = () => startChild(new URL('./support/command-worker.ts', import.meta.url), { env })
  const workers: Child[] = [work(), work(), work(), work()]
  await Promise.all(workers.map((worker) => worker.next('started', 60_000)))

  const rounds = full ? 8 : 3
  for (let round = 0; round < rounds; round += 1) {
    const command = round % 2 === 0 ? 'turn_on' : 'turn_off'
    for (const gpio of gpios) {
      await volt.commands.enqueueMany(
        devices.map(({ _id }) => ({
          device: _id,
          command,
          switch: gpio,
          attempts: 20,
          idempotencyKey: `${round} ${gpio}`,
        })),
      )
    }
    // One is killed and replaced, one is frozen for longer than what it has claimed lasts.
    const [killed, frozen] = workers
    await sleep(100)
    if (frozen !== undefined) process.kill(frozen.pid, 'SIGSTOP')
    await killed?.kill()
    workers.shift()
    workers.push(work())
    await sleep(2 * leaseMs)
    if (frozen !== undefined) process.kill(frozen.pid, 'SIGCONT')
    const open = () => volt.commands.count({ isOpen: true })
    await eventually('all have ended', async () => (await open()) === 0, { timeoutMs: 60_000, everyMs: 200 })
  }
  await Promise.all(workers.map((worker) => worker.kill()))

  const commands = await volt.commands.count()
  expect(commands).toBe(rounds * gpios.length * count)
  expect(await volt.commands.count({ status: 'succeeded' })).toBe(commands)
  const sendings = await database.db.collection<Sending>('sendings').find().sort({ at: 1, _id: 1 }).toArray()
  const byCommand = new Map<string, number[]>()
  for (const { command, attempt } of sendings) {
    const key = command.toHexString()
    byCommand.set(key, [...(byCommand.get(key) ?? []), attempt])
  }
  expect(byCommand.size).toBe(commands)
  // A later attempt begins when the claim of the one before has ended: in time, attempts only grow.
  const doubled = [...byCommand.values()].filter((attempts) =>
    attempts.some((one, at) => at > 0 && one <= (attempts[at - 1] ?? 0)),
  )
  expect(doubled).toEqual([])
}, 600_000)
