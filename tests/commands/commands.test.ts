import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { DeviceAnswer } from '../../src/commands/device-answers.js'
import type { Device } from '../../src/devices/device.js'
import { aClassroom, aDevice, aSwitch } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'
import { type ScriptedTransport, scriptedTransport } from './support/scripted-transport.js'

const database = testDatabase()
const clock = new SettableClock()
/** Asks, and waits. */
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock })
  await volt.setup()
})

// A worker sends whatever is in the queue.
beforeEach(async () => {
  await database.db.collection('device_commands').deleteMany({})
})

async function device(overrides: Parameters<typeof aDevice>[0] = {}): Promise<Device> {
  const switches = [16, 17, 18].map((gpio) => aSwitch({ gpio }))
  return volt.devices.create(aDevice({ switches, status: 'online', lastSeenAt: clock.now(), ...overrides }))
}

/** A process of its own that sends, as far as the handle goes. */
async function sending(transport: ScriptedTransport = scriptedTransport()) {
  const other = await openVolt(database, { clock })
  const stop = other.commands.start({ transports: [transport], pollMs: 50, leaseMs: 2_000 })
  cleanUpLater(stop)
  return { volt: other, transport, stop }
}

const shown = (of: Device, answer: Partial<DeviceAnswer>): DeviceAnswer => ({
  device: of._id,
  at: clock.now(),
  evidence: 'event',
  gpio: 16,
  ...answer,
})
const answered = async (...answers: DeviceAnswer[]) =>
  volt.commands.answers.announce(await volt.commands.answers.take(answers))
const statusOf = async (id: ObjectId) => (await volt.commands.get(id)).status
const becomes = (id: ObjectId, status: string) =>
  eventually(`the command is ${status}`, async () => (await statusOf(id)) === status)

describe('a command', () => {
  it('is checked against the device before it is stored', async () => {
    const capabilities = [
      { name: 'speed', type: 'integer' as const, range: { minimum: 0, maximum: 3 }, writable: true },
      { name: 'temperature', type: 'number' as const },
      { name: 'reboot', type: 'action' as const },
    ]
    const { _id } = await device({ capabilities })
    const ask = (command: string, parameters: object = {}, options: object = {}) =>
      volt.commands.enqueue(_id, command, { ...parameters }, options)
    const refusedAt = (path: string) => ({ code: 'VALIDATION', issues: [{ path }] })
    await expect(ask('turn_on')).rejects.toMatchObject(refusedAt('switch'))
    await expect(ask('turn_on', {}, { switch: 25 })).rejects.toMatchObject(refusedAt('switch'))
    await expect(ask('turn_on', { power: false }, { switch: 16 })).rejects.toMatchObject(refusedAt('parameters.power'))
    await expect(ask('set', { speed: 4 })).rejects.toMatchObject(refusedAt('parameters.speed'))
    await expect(ask('set', { speed: 1.5 })).rejects.toMatchObject(refusedAt('parameters.speed'))
    await expect(ask('set', { temperature: 20 })).rejects.toMatchObject(refusedAt('parameters.temperature'))
    await expect(ask('set', { colour: 'red' })).rejects.toMatchObject(refusedAt('parameters.colour'))
    await expect(ask('explode')).rejects.toMatchObject(refusedAt('command'))
    await expect(ask('set', { speed: { $gt: 0 } })).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.commands.enqueue(new ObjectId(), 'turn_on')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await ask('set', { speed: 3 })).toMatchObject({ status: 'queued', target: 'set:speed', maximumAttempts: 3 })
    expect(await ask('reboot')).toMatchObject({ status: 'queued', target: 'do:reboot', maximumAttempts: 1 })
    expect(await ask('turn_on', { power: true }, { switch: 17 })).toMatchObject({ target: 'switch:17', state: true })
  })

  it('is the same for one idempotency key, and refused for a key of another', async () => {
    const { _id } = await device()
    const ask = (gpio: number) => volt.commands.enqueue(_id, 'turn_on', {}, { switch: gpio, idempotencyKey: 'lesson' })
    const all = await Promise.all([ask(16), ask(16), ask(16)])
    expect(new Set(all.map((one) => one._id.toHexString())).size).toBe(1)
    await expect(ask(17)).rejects.toMatchObject({ code: 'CONFLICT' })
    const request = { device: _id, command: 'turn_on', switch: 16, idempotencyKey: 'lesson' }
    expect(await volt.commands.enqueueMany([request, { ...request, switch: 18, idempotencyKey: 'other' }])).toBe(1)
  })

  it('takes the place of the one that is queued for the switch', async () => {
    const { _id } = await device()
    const first = await volt.commands.enqueue(_id, 'turn_on', {}, { switch: 16 })
    const other = await volt.commands.enqueue(_id, 'turn_on', {}, { switch: 17 })
    const second = await volt.commands.enqueue(_id, 'turn_off', {}, { switch: 16 })
    expect(await volt.commands.get(first._id)).toMatchObject({ status: 'cancelled', reason: 'superseded' })
    expect(await statusOf(other._id)).toBe('queued')
    expect(await statusOf(second._id)).toBe('queued')
  })

  it('can be taken back while it is queued', async () => {
    const { _id } = await device()
    const queued = await volt.commands.enqueue(_id, 'turn_on', {}, { switch: 16 })
    expect(await volt.commands.cancel(queued._id)).toMatchObject({ status: 'cancelled', reason: 'withdrawn' })
    await expect(volt.commands.cancel(queued._id)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

describe('the queue', () => {
  it('sends by priority, in whatever order they came, and one to a switch at a time', async () => {
    const of = await device()
    const ask = (priority: 'low' | 'normal' | 'critical', gpio: number) =>
      volt.commands.enqueue(of._id, 'turn_on', {}, { switch: gpio, priority })
    await ask('low', 16)
    await ask('critical', 17)
    await ask('normal', 18)
    const { transport } = await sending()
    await eventually('all are sent', () => transport.sent.length === 3)
    expect(transport.sent.map(({ gpio }) => gpio)).toEqual([17, 18, 16])
    const next = await volt.commands.enqueue(of._id, 'turn_off', {}, { switch: 16 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await statusOf(next._id)).toBe('queued')
    await answered(shown(of, { gpio: 16, state: true }))
    await eventually('the next one is sent', () => transport.sent.length === 4)
  })

  it('never sends what has expired', async () => {
    const of = await device()
    const { transport } = await sending(scriptedTransport({ isThere: false }))
    const { _id } = await volt.commands.enqueue(of._id, 'turn_on', {}, { switch: 16, expiresInMs: 60_000 })
    await new Promise((resolve) => setTimeout(resolve, 200))
    clock.advance(61_000)
    await becomes(_id, 'expired')
    transport.isThere = true
    clock.advance(61_000)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(transport.sent).toEqual([])
  })

  it('sends again what nothing answers, as often as it may, and then says so', async () => {
    const of = await device()
    const { transport } = await sending(scriptedTransport({ answerMs: 50 }))
    const { _id } = await volt.commands.enqueue(of._id, 'turn_on', {}, { switch: 16, attempts: 2 })
    await becomes(_id, 'failed')
    expect(await volt.commands.get(_id)).toMatchObject({ reason: 'no_answer', attempts: 2, isOpen: false })
    expect(transport.sent.map(({ attempt }) => attempt)).toEqual([1, 2])
  })

  it('tries again what could not be sent, without counting it', async () => {
    const of = await device()
    const { transport } = await sending(scriptedTransport({ script: [new Error('no road')] }))
    const { _id } = await volt.commands.enqueue(of._id, 'turn_on', {}, { switch: 16, attempts: 1 })
    await eventually('it is sent', () => transport.sent.length === 1, { timeoutMs: 120_000 })
    expect(transport.sent).toMatchObject([{ id: _id.toHexString(), attempt: 1 }])
  })

  it('ends what a transport says no to, and what goes to a device that is not in service', async () => {
    const { transport } = await sending(scriptedTransport({ script: [{ kind: 'refused', detail: 'locked' }] }))
    const of = await device()
    const { _id } = await volt.commands.enqueue(of._id, 'turn_on', {}, { switch: 16 })
    await becomes(_id, 'failed')
    expect(await volt.commands.get(_id)).toMatchObject({ reason: 'refused', detail: 'locked' })
    const retired = await device({ service: 'inactive' })
    const other = await volt.commands.enqueue(retired._id, 'turn_on', {}, { switch: 16 })
    await becomes(other._id, 'failed')
    expect(await volt.commands.get(other._id)).toMatchObject({ reason: 'unreachable' })
    expect(transport.sent).toHaveLength(1)
  })

  it('takes over what a worker has left behind', async () => {
    const of = await device()
    const { _id } = await volt.commands.enqueue(of._id, 'turn_on', {}, { switch: 16 })
    const left = { status: 'sent', isUnderWay: true, token: 'gone', attempts: 1, leaseUntil: new Date(0) }
    await database.db.collection('device_commands').updateOne({ _id }, { $set: left })
    const { transport } = await sending()
    await eventually('it is sent again', () => transport.sent.length === 1)
    expect(transport.sent).toMatchObject([{ id: _id.toHexString(), attempt: 2 }])
  })

  it('paces the relays of a device, and reports a classroom by device', async () => {
    const room = await volt.classrooms.create(aClassroom())
    const [one, two] = [await device({ classroom: room._id }), await device({ classroom: room._id })]
    const { transport } = await sending(
      scriptedTransport({ pause: 150, script: Array.from({ length: 6 }, () => ({ kind: 'succeeded', state: false })) }),
    )
    const { correlationId, commands } = await volt.commands.switchClassroom(room.name, false)
    expect(commands).toBe(6)
    await eventually('all have ended', async () => {
      const report = await volt.commands.reportOf(correlationId)
      return report.every(({ counts }) => counts.succeeded === 3)
    })
    expect((await volt.commands.reportOf(correlationId)).map(({ device: id }) => id)).toEqual([one._id, two._id])
    const ids = new Map(
      (await volt.commands.find({ correlationId })).map((c) => [c._id.toHexString(), String(c.device)]),
    )
    for (const of of [one, two]) {
      const times = transport.sent.filter(({ id }) => ids.get(id) === String(of._id)).map(({ atMs }) => atMs)
      for (const [at, time] of times.slice(1).entries()) expect(time - (times[at] ?? 0)).toBeGreaterThan(140)
    }
  })
})

describe('an answer', () => {
  const sent = async (of: Device, options: object = {}, other?: ScriptedTransport) => {
    const transport = other ?? (await sending()).transport
    const command = await volt.commands.enqueue(of._id, 'turn_on', {}, { switch: 16, ...options })
    await eventually('it is sent', () => transport.sent.some(({ id }) => id === command._id.toHexString()))
    await eventually('that is noted', async () => (await volt.commands.get(command._id)).deadlineAt !== undefined)
    return { command, transport }
  }

  it('ends the command once, whatever comes after, and however often', async () => {
    const of = await device()
    const { command } = await sent(of)
    const yes = shown(of, { evidence: 'snapshot', state: true })
    await answered(yes, yes)
    const done = await volt.commands.get(command._id)
    expect(done).toMatchObject({ status: 'succeeded', answer: { evidence: 'snapshot', state: true } })
    expect(done.latencyMs).toBeGreaterThanOrEqual(0)
    await answered(
      shown(of, { command: command._id.toHexString(), refusal: 'no' }),
      shown(of, { state: false, isManual: true }),
    )
    expect(await volt.commands.get(command._id)).toEqual(done)
  })

  it('is none where it shows another relay, another state, or an earlier time', async () => {
    const of = await device()
    const { command } = await sent(of)
    await answered(
      shown(of, { gpio: 17, state: true }),
      shown(of, { state: false }),
      shown(of, { state: true, at: new Date(clock.now().getTime() - 60_000) }),
      shown(of, { command: new ObjectId().toHexString(), state: true }),
      shown(await device(), { state: true }),
    )
    expect(await statusOf(command._id)).toBe('sent')
  })

  it('of the device can be no, or another state than was asked for', async () => {
    const of = await device()
    const { command: one, transport } = await sent(of)
    await answered(shown(of, { evidence: 'answer', command: one._id.toHexString(), refusal: 'too hot' }))
    expect(await volt.commands.get(one._id)).toMatchObject({ status: 'failed', reason: 'refused', detail: 'too hot' })
    const { command: two } = await sent(await device(), {}, transport)
    await answered(
      shown(await volt.devices.get(two.device), { evidence: 'answer', command: two._id.toHexString(), state: false }),
    )
    expect(await volt.commands.get(two._id)).toMatchObject({ status: 'failed', reason: 'contradicted' })
  })

  it('by hand has the last word', async () => {
    const of = await device()
    const { command } = await sent(of)
    await answered(shown(of, { state: false, isManual: true }))
    expect(await volt.commands.get(command._id)).toMatchObject({ status: 'cancelled', reason: 'superseded' })
  })
})

describe('executeCommand', () => {
  it('resolves with the device’s own answer, sent from this process or another', async () => {
    const of = await device()
    const { volt: other, transport } = await sending()
    const asked = other.commands.executeCommand(of._id, 'turn_on', { power: true }, { switch: 16 })
    await eventually('it is sent', () => transport.sent.length === 1)
    // By the change stream: the answer is taken elsewhere.
    await answered(shown(of, { state: true }))
    expect(await asked).toMatchObject({ status: 'succeeded', attempts: 1, answer: { state: true } })
    const elsewhere = volt.commands.executeCommand(of._id, 'turn_off', {}, { switch: 16 })
    await eventually('it is sent', () => transport.sent.length === 2)
    await answered(shown(of, { state: false }))
    expect(await elsewhere).toMatchObject({ status: 'succeeded', state: false })
    expect(await volt.ledger.count({ deviceId: of._id })).toBe(0)
  })

  it('says what is known where no answer comes', async () => {
    const lastSeenAt = clock.now()
    const of = await device({ lastSeenAt })
    const unsent = volt.commands.executeCommand(of._id, 'turn_on', {}, { switch: 16, timeoutMs: 100 })
    await expect(unsent).rejects.toMatchObject({ code: 'TIMEOUT', known: { wasSent: 'no', deviceSeenAt: lastSeenAt } })
    const { volt: other } = await sending()
    const silent = other.commands.executeCommand(of._id, 'turn_on', {}, { switch: 17, timeoutMs: 100 })
    await expect(silent).rejects.toMatchObject({ code: 'TIMEOUT', known: { wasSent: 'yes' } })
  })

  it('waits for its turn while another is under way to the switch', async () => {
    const of = await device()
    const { volt: other, transport } = await sending()
    const first = other.commands.executeCommand(of._id, 'turn_on', {}, { switch: 16 })
    await eventually('it is sent', () => transport.sent.length === 1)
    const second = other.commands.executeCommand(of._id, 'turn_off', {}, { switch: 16 })
    await answered(shown(of, { state: true }))
    expect(await first).toMatchObject({ status: 'succeeded', state: true })
    await eventually('the other is sent', () => transport.sent.length === 2)
    await answered(shown(of, { state: false }))
    expect(await second).toMatchObject({ status: 'succeeded', state: false })
  })
})

it('says how commands have ended, and how fast', async () => {
  const of = await device()
  const script = [{ kind: 'succeeded' }, { kind: 'refused', detail: 'no' }, { kind: 'succeeded' }] as const
  const { volt: other } = await sending(scriptedTransport({ script: [...script] }))
  for (const gpio of [16, 17, 18]) await other.commands.executeCommand(of._id, 'turn_on', {}, { switch: gpio })
  const [row, ...more] = await volt.commands.statistics({ device: of._id })
  expect(more).toEqual([])
  expect(row).toMatchObject({ command: 'turn_on', succeeded: 2, failed: 1, open: 0, successRate: 2 / 3 })
  expect(row?.meanLatencyMs).toBeGreaterThanOrEqual(0)
  expect(await volt.commands.statistics({ device: of._id, command: 'turn_off' })).toEqual([])
})
