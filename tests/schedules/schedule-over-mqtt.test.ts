import { expect, it } from 'vitest'
import { connectTransport } from '../../src/mqtt/transport/mqtt-transport.js'
import { secret } from '../mqtt/support/payloads.js'
import { V2Simulation } from '../mqtt/support/simulated-devices.js'
import { openSite } from '../mqtt/support/site.js'
import { aMacAddress } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { startMosquitto } from '../support/mosquitto.js'
import { openVolt } from '../support/volt.js'

it('goes from a schedule over the broker to a device, and from its answers into the ledger', async () => {
  const broker = await startMosquitto()
  const { volt, database, ...site } = await openSite()
  await site.ingest({ url: broker.url })
  const transport = await connectTransport(volt, { url: broker.url })
  cleanUpLater(() => transport.close())
  cleanUpLater(volt.commands.start({ transports: [transport], pollMs: 100 }))
  const macAddress = aMacAddress()
  const device = await site.device({ macAddress, reportingPeriodMs: 5_000, authentication: 'secret' })
  const simulation = await new V2Simulation(macAddress, secret).connect(broker.url)
  simulation.heartbeat()
  await eventually('the device is online', async () => (await volt.devices.get(device._id)).status === 'online')

  // By a clock that is a minute late: by the right one the first run is due.
  const late = await openVolt(database, { clock: { now: () => new Date(Date.now() - 60_000) } })
  const { _id } = await late.schedules.create({
    name: 'Each minute',
    target: { kind: 'device', id: device._id },
    rule: { type: 'cron', expression: '* * * * *' },
    action: { command: 'turn_on' },
  })
  await volt.schedules.run()
  await eventually('both relays are on', () => [16, 17].every((gpio) => simulation.relays.get(gpio)))
  const isAnswered = async () => (await volt.commands.count({ device: device._id, status: 'succeeded' })) === 2
  await eventually('the device has answered', isAnswered)
  // A relay must not be moved within 150 ms of another.
  const times = simulation.received.map(({ payload }) => (JSON.parse(payload) as { time: number }).time)
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(149)

  const entries = () => volt.ledger.find({ deviceId: device._id, eventType: 'switch_on' })
  await eventually('the ledger shows it', async () => (await entries()).length === 2)
  expect((await entries()).map(({ switchId }) => String(switchId)).toSorted()).toEqual(
    device.switches.map((one) => one._id.toHexString()).toSorted(),
  )
  const { lastRun } = await volt.schedules.get(_id)
  const report = await volt.commands.reportOf(`${_id.toHexString()} ${lastRun?.key}`)
  expect(report).toEqual([{ device: device._id, counts: { succeeded: 2 } }])
})
