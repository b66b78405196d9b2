import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Device, DeviceInput } from '../../src/devices/device.js'
import { connectTransport, type MqttTransport } from '../../src/mqtt/transport/mqtt-transport.js'
import { aMacAddress, aSwitch } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { secret } from './support/payloads.js'
import { DeployedSimulation, V2Simulation } from './support/simulated-devices.js'
import { openSite, type Site } from './support/site.js'

let broker: Mosquitto
let site: Site
let transport: MqttTransport

beforeAll(async () => {
  broker = await startMosquitto()
  site = await openSite()
  await site.ingest({ url: broker.url })
  transport = await connectTransport(site.volt, { url: broker.url, client: { reconnectPeriod: 100 } })
  cleanUpLater(() => transport.close())
  cleanUpLater(site.volt.commands.start({ transports: [transport], pollMs: 100 }))
})

const usual = (): Partial<DeviceInput> => ({
  macAddress: aMacAddress(),
  reportingPeriodMs: 5_000,
  authentication: 'secret',
})
const isThere = (device: Device) => async () => (await site.volt.devices.get(device._id)).status === 'online'

async function deployed(input: Partial<DeviceInput> = {}) {
  const device = await site.device({ ...usual(), ...input })
  const simulation = await new DeployedSimulation(device.macAddress!, secret).connect(broker.url)
  simulation.snapshot()
  await eventually('the device is online', isThere(device))
  return { device, simulation }
}

async function v2(input: Partial<DeviceInput> = {}) {
  const device = await site.device({ ...usual(), ...input })
  const simulation = await new V2Simulation(device.macAddress!, secret).connect(broker.url)
  simulation.heartbeat()
  await eventually('the device is online', isThere(device))
  return { device, simulation }
}

const turn = (device: Device, state: boolean, options: object = {}) =>
  site.volt.commands.executeCommand(device._id, state ? 'turn_on' : 'turn_off', {}, { switch: 16, ...options })
const pushes = async ({ _id: device }: Device, pushed: readonly string[]) =>
  (await site.volt.deviceLogs.find({ device, kind: 'config_pushed' })).some(
    ({ details }) => String(details?.pushed) === String(pushed),
  )
const commandsTo = (device: Device, { received }: DeployedSimulation) =>
  received.filter(({ payload }) => payload.includes(device.macAddress!)).length
const entriesOf = ({ _id }: Device) => site.volt.ledger.count({ deviceId: _id, eventType: 'switch_on' })

describe('the deployed firmware', () => {
  it('gets a command to its last byte, at QoS 0 and not retained, and answers by its event', async () => {
    const { device, simulation } = await deployed()
    const requester = { user: new ObjectId(), name: 'A. Rao' }
    const done = await turn(device, true, { requester })
    expect(done).toMatchObject({ status: 'succeeded', attempts: 1, answer: { evidence: 'event', state: true } })
    const user = `"userId":"${requester.user.toHexString()}","userName":"A. Rao"`
    expect(simulation.received.filter(({ payload }) => payload.includes(device.macAddress!))).toEqual([
      {
        topic: 'esp32/switches',
        payload: `{"mac":"${device.macAddress}","secret":"${secret}","gpio":16,"state":true,${user}}`,
        qos: 0,
        retain: false,
      },
    ])
    expect(await entriesOf(device)).toBe(1)
  })

  it('answers by its next snapshot where the relay is there already, or the event is lost', async () => {
    const { device, simulation } = await deployed()
    simulation.mishaps.push('loses its answer')
    const lost = turn(device, true)
    await eventually('the relay has moved', () => simulation.relays.get(16) === true)
    simulation.snapshot()
    expect(await lost).toMatchObject({ status: 'succeeded', answer: { evidence: 'snapshot' } })
    const again = turn(device, true)
    await eventually('it is sent again', () => commandsTo(device, simulation) === 2)
    simulation.snapshot()
    expect(await again).toMatchObject({ status: 'succeeded', answer: { evidence: 'snapshot' } })
    expect(await entriesOf(device)).toBe(1)
  })

  it('may say everything twice, late, and the opposite first', async () => {
    const { device, simulation } = await deployed()
    simulation.mishaps.push('doubles', 'contradicts')
    simulation.delayMs = 300
    expect(await turn(device, true)).toMatchObject({ status: 'succeeded', state: true })
    expect(await turn(device, false)).toMatchObject({ status: 'succeeded', state: false })
    await sleep(400)
    const commands = await site.volt.commands.find({ device: device._id })
    expect(commands.map(({ status }) => status)).toEqual(['succeeded', 'succeeded'])
  })

  it('gives way to the wall switch', async () => {
    const { device, simulation } = await deployed()
    simulation.mishaps.push('ignores')
    const asked = turn(device, true)
    await eventually('it is sent', () =>
      simulation.received.some(({ payload }) => payload.includes(device.macAddress!)),
    )
    simulation.press(16, false)
    expect(await asked).toMatchObject({ status: 'cancelled', reason: 'superseded' })
  })

  it('is obeyed with the secret that it has now', async () => {
    const { device, simulation } = await deployed()
    const other = 'another secret of its own'
    await site.volt.devices.update(device._id, { secret: other })
    simulation.secret = other
    // What it says is believed once its new secret is read.
    await sleep(10_500)
    simulation.snapshot()
    expect(await turn(device, true)).toMatchObject({ status: 'succeeded' })
  })

  it('knows no other command', async () => {
    const { device } = await deployed({ capabilities: [{ name: 'reboot', type: 'action' }] })
    const done = await site.volt.commands.executeCommand(device._id, 'reboot')
    expect(done).toMatchObject({ status: 'failed', reason: 'refused' })
  })

  it('gets its pins', async () => {
    const { device, simulation } = await deployed({
      switches: [aSwitch({ gpio: 16, manualGpio: 25, manualMode: 'momentary' }), aSwitch({ gpio: 17, name: 'Fan 17' })],
    })
    await transport.pushConfig(device._id)
    const config = () =>
      simulation.received.find(({ topic, payload }) => topic === 'esp32/config' && payload.includes(device.macAddress!))
    await eventually('the configuration comes', config)
    const pins = '[{"gpio":16,"manualGpio":25,"manualMode":"momentary"},{"gpio":17}]'
    expect(config()?.payload).toBe(`{"mac":"${device.macAddress}","secret":"${secret}","switches":${pins}}`)
    await eventually('it is in the device log', () => pushes(device, ['pins']))
  })
})

describe('version 2', () => {
  it('answers with the command’s id, also where nothing had to move', async () => {
    const { device } = await v2()
    const done = await turn(device, true)
    expect(done).toMatchObject({ status: 'succeeded', answer: { evidence: 'answer', state: true } })
    expect(await turn(device, true)).toMatchObject({ status: 'succeeded', attempts: 1 })
    expect((await site.volt.devices.get(device._id)).switches[0]).toMatchObject({ state: true })
    expect((await site.volt.devices.get(device._id)).telemetry).toMatchObject({
      freeHeapBytes: 181_234,
      temperatureC: 41.5,
    })
  })

  it('says no with a reason, and is not asked again', async () => {
    const { device, simulation } = await v2()
    simulation.refuses = 'the door is open'
    const done = await turn(device, true)
    expect(done).toMatchObject({ status: 'failed', reason: 'refused', detail: 'the door is open', attempts: 1 })
    expect(await entriesOf(device)).toBe(0)
  })

  it('may answer twice, and with another state than was asked for', async () => {
    const { device, simulation } = await v2()
    simulation.mishaps.push('doubles', 'contradicts')
    expect(await turn(device, true)).toMatchObject({ status: 'succeeded' })
    expect(await turn(device, false)).toMatchObject({ status: 'failed', reason: 'contradicted' })
  })

  it('gives way to the wall switch', async () => {
    const { device, simulation } = await v2()
    simulation.mishaps.push('ignores')
    const asked = turn(device, true)
    await eventually('it is sent', () => simulation.received.length > 0)
    simulation.press(16, false)
    expect(await asked).toMatchObject({ status: 'cancelled', reason: 'superseded' })
  })

  it('gets pins and configuration, signed, and without the Wi-Fi', async () => {
    const { device, simulation } = await v2({
      config: { motionSensorPin: 35, wifi: { ssid: 'school' } },
      wifiPassword: 'a long password',
    })
    await transport.pushConfig(device._id)
    const message = await eventually('the configuration comes', () =>
      simulation.received.find(({ topic }) => topic.endsWith('/config')),
    )
    expect(JSON.parse(message.payload)).toMatchObject({
      switches: [{ gpio: 16 }, { gpio: 17 }],
      config: { motionSensorPin: 35, heartbeatIntervalMs: 30_000 },
      hmac: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
    expect(message.payload).not.toContain('school')
    await eventually('it is in the device log', () => pushes(device, ['pins', 'configuration']))
  })
})

describe('what cannot be sent', () => {
  it('waits for a device that is away, and is sent when it is back', async () => {
    const { device, simulation } = await v2()
    // The clock of the reports may be ahead of this one.
    const { statusAt } = await site.volt.devices.get(device._id)
    const leftAt = new Date(Number(statusAt) + 1)
    const away = { deviceId: device._id, status: 'offline' as const, statusAt: leftAt, switches: [], overrides: [] }
    await site.volt.devices.recordPresence([away])
    const { _id } = await site.volt.commands.enqueue(device._id, 'turn_on', {}, { switch: 16 })
    await sleep(500)
    expect(await site.volt.commands.get(_id)).toMatchObject({ status: 'queued', attempts: 0 })
    simulation.heartbeat()
    const isDone = async () => (await site.volt.commands.get(_id)).status === 'succeeded'
    await eventually('it is done', isDone, { timeoutMs: 120_000 })
  })

  it('expires while the broker is away, and is never sent', async () => {
    const { device, simulation } = await v2()
    await broker.stop()
    const asked = site.volt.commands.executeCommand(device._id, 'turn_on', {}, { switch: 16, timeoutMs: 1_500 })
    await expect(asked).rejects.toMatchObject({ code: 'TIMEOUT', known: { wasSent: 'no' } })
    await broker.start()
    await sleep(2_000)
    expect(simulation.received).toEqual([])
    const expired = async () => (await site.volt.commands.findOne({ device: device._id }))?.status === 'expired'
    await eventually('it has expired', expired)
  })
})

it('refuses options, brokers and handles that cannot be used', async () => {
  const { volt } = site
  await expect(connectTransport(volt, { url: broker.url, prefix: 'a/+' })).rejects.toMatchObject({
    code: 'CONFIGURATION',
  })
  await expect(connectTransport(volt, { url: '' })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  const nowhere = connectTransport(volt, { url: 'mqtt://127.0.0.1:1', connectTimeoutMs: 300 })
  await expect(nowhere).rejects.toMatchObject({ code: 'CONNECTION' })
})
