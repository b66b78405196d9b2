import type { Device } from '@autovolt/data'
import type { LedgerEntry } from '@autovolt/data/ledger'
import { deployedDecoder, type Ingestion, meteredDecoder, startIngestion } from '@autovolt/data/mqtt'
import { beforeAll, describe, expect, it } from 'vitest'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { mosquittoPub } from './support/mosquitto-pub.js'
import { openSchool, type School, testSecret } from './support/school.js'

// Every row and every consequence of the deployed firmware's MQTT contract, typed as one would by hand.
describe('the deployed firmware', () => {
  let mosquitto: Mosquitto
  let school: School
  let ingestion: Ingestion

  beforeAll(async () => {
    mosquitto = await startMosquitto({ maxQueuedMessages: 0 })
    school = await openSchool()
    const meter = await school.device({
      macAddress: '02:00:00:00:aa:01',
      switches: [{ name: 'load', gpio: 1, powerRating: 60, energySource: 'counter' }],
    })
    ingestion = await startIngestion(school.volt, {
      url: mosquitto.url,
      decoders: [
        deployedDecoder({ statusTopics: ['esp32/status/{mac}', 'esp32/status'] }),
        meteredDecoder({ 'lab/meter/telemetry': { device: { deviceId: meter._id.toHexString() }, gpio: 1 } }),
      ],
    })
    cleanUpLater(() => ingestion.close())
  })

  /** Publishes, and waits until the message has been dealt with. */
  async function say(topic: string, payload: string | object, ...more: string[]): Promise<void> {
    const { processed } = ingestion.status()
    await mosquittoPub(mosquitto.port, topic, payload, ...more)
    await eventually('the message is dealt with', () => ingestion.status().processed > processed)
  }

  const snapshot = ({ macAddress: mac }: Device, light: boolean, fan: boolean) =>
    say('esp32/state', {
      mac,
      secret: testSecret,
      switches: [
        { gpio: 16, state: light, manual_override: false },
        { gpio: 17, state: fan, manual_override: false },
      ],
    })
  const switchEvent = ({ macAddress: mac }: Device, state: boolean, timestamp: number, more: object = {}) =>
    say('esp32/telemetry', {
      mac,
      secret: testSecret,
      type: 'switch_event',
      gpio: 16,
      state,
      source: 'backend',
      timestamp,
      ...more,
    })

  async function entriesOf(device: Device, gpio = 16): Promise<LedgerEntry[]> {
    const switchId = device.switches.find((one) => one.gpio === gpio)?._id
    if (switchId === undefined) throw new Error(`no gpio ${gpio}`)
    return school.volt.ledger.find({ switchId }, { sort: { sequence: 1 } })
  }
  const states = (entries: LedgerEntry[]) => entries.map(({ powerState }) => powerState)
  const kwhOf = (entries: LedgerEntry[]) => (entries.at(-1)?.cumulativeEnergy ?? 0) / 3.6e6
  const activitiesOf = (device: Device) =>
    school.volt.activities.find({ deviceId: device._id }, { sort: { timestamp: 1 } })
  const quarantineOf = ({ macAddress }: Device) => school.volt.quarantine.find({ macAddress })

  it('takes the first snapshot as the beginning of each chain, and a repeated one as nothing', async () => {
    const device = await school.device()
    await snapshot(device, false, true)
    await snapshot(device, false, true)
    expect(states(await entriesOf(device))).toEqual([false])
    const fan = await entriesOf(device, 17)
    expect(fan).toMatchObject([
      { eventType: 'switch_on', flags: ['snapshot', 'placed'], energySource: 'rated', powerRating: 75, ratePerKwh: 8 },
    ])
  })

  it('makes one entry of a press that shows up as an event and in the next snapshot', async () => {
    const device = await school.device()
    await snapshot(device, false, false)
    await switchEvent(device, true, 812_345, { userId: 'u-1', userName: 'Ann' })
    await snapshot(device, true, false)
    const entries = await entriesOf(device)
    expect(states(entries)).toEqual([false, true])
    expect(entries[1]?.flags).toEqual([])
    expect(await activitiesOf(device)).toMatchObject([
      { action: 'switch_on', cause: 'backend', userId: 'u-1', userName: 'Ann' },
    ])
  })

  it('keeps the entry when the snapshot comes first, and logs who and why when the event follows', async () => {
    const device = await school.device()
    await snapshot(device, false, false)
    await switchEvent(device, false, 1_000)
    await snapshot(device, true, false)
    await switchEvent(device, true, 1_400, { userName: 'Ben' })
    const entries = await entriesOf(device)
    expect(states(entries)).toEqual([false, true])
    expect(entries[1]?.flags).toEqual(['snapshot'])
    expect((await activitiesOf(device)).at(-1)).toMatchObject({ action: 'switch_on', userName: 'Ben' })
  })

  it('finds a change whose event was lost in the next snapshot', async () => {
    const device = await school.device()
    await snapshot(device, false, false)
    await snapshot(device, true, false)
    await snapshot(device, false, false)
    expect(states(await entriesOf(device))).toEqual([false, true, false])
  })

  it('takes a press of the wall switch, whatever the spelling of the address', async () => {
    const device = await school.device()
    await snapshot(device, true, false)
    const mac = device.macAddress!.toLowerCase().replaceAll(':', '-')
    await say('esp32/telemetry', {
      mac,
      secret: testSecret,
      type: 'manual_switch',
      gpio: 16,
      state: false,
      physicalPin: 25,
      timestamp: 5_000,
    })
    await say('esp32/telemetry', {
      mac: device.macAddress!.replaceAll(':', ''),
      secret: testSecret,
      type: 'manual_switch',
      gpio: 16,
      state: true,
      timestamp: 9_000,
    })
    expect(states(await entriesOf(device))).toEqual([true, false, true])
    expect(await activitiesOf(device)).toMatchObject([{ cause: 'manual' }, { cause: 'manual' }])
  })

  it('places events by the milliseconds since boot, not by their arrival', async () => {
    const device = await school.device()
    await switchEvent(device, true, 100_000)
    await switchEvent(device, false, 103_000)
    const [on, off] = await entriesOf(device)
    expect(off?.receivedAt.getTime()).toBeLessThan((on?.receivedAt.getTime() ?? 0) + 2_900)
    // The second event seems to be sent later than it arrives, so the boot must have been earlier.
    expect((await school.volt.devices.get(device._id)).boot?.id).toBeDefined()
    expect(on?.metadata.bootId).toBe(off?.metadata.bootId)
  })

  it('takes the same event once, however often the device sends it', async () => {
    const device = await school.device()
    await snapshot(device, false, false)
    await switchEvent(device, true, 50_000)
    await switchEvent(device, true, 50_000)
    await snapshot(device, false, false)
    await switchEvent(device, true, 50_000)
    expect(states(await entriesOf(device))).toEqual([false, true, false])
    expect(await activitiesOf(device)).toHaveLength(1)
  })

  it('lets a heartbeat refresh when the device was last seen, and nothing else', async () => {
    const device = await school.device()
    await say('esp32/telemetry', { mac: device.macAddress, status: 'heartbeat', heap: 181_234, uptime: 812_345 })
    const seen = await school.volt.devices.get(device._id)
    expect(seen.lastSeenAt).toBeInstanceOf(Date)
    expect(seen).not.toHaveProperty('lastSignOfLifeAt')
    expect(seen).not.toHaveProperty('boot')
    expect(await entriesOf(device)).toEqual([])
  })

  it('quarantines a wrong secret as unauthorized, and changes nothing', async () => {
    const device = await school.device()
    await snapshot(device, false, false)
    const before = await school.volt.devices.get(device._id)
    const wrong = 'not-the-secret-at-all-0123'
    await say('esp32/state', { mac: device.macAddress, secret: wrong, switches: [{ gpio: 16, state: true }] })
    await say('esp32/telemetry', {
      mac: device.macAddress,
      secret: wrong,
      type: 'switch_event',
      gpio: 16,
      state: true,
      source: 'manual',
      timestamp: 1,
    })
    expect(states(await entriesOf(device))).toEqual([false])
    expect(await school.volt.devices.get(device._id)).toEqual(before)
    const quarantined = await quarantineOf(device)
    expect(quarantined.map(({ reason }) => reason)).toEqual(['unauthorized', 'unauthorized'])
    const raw = await school.volt.database.native.collection('ingest_quarantine').find({}).toArray()
    expect(JSON.stringify(raw)).not.toContain(wrong)
  })

  it('quarantines messages that were cut, shown without secrets', async () => {
    const device = await school.device()
    const whole = JSON.stringify({
      mac: device.macAddress,
      secret: testSecret,
      type: 'switch_event',
      gpio: 16,
      state: true,
      source: 'backend',
      timestamp: 812_345,
      userId: 'u-1',
      userName: 'A very long name',
    })
    for (const length of [128, 60, 150]) await say('esp32/telemetry', whole.slice(0, length))
    const quarantined = await quarantineOf(device)
    expect(quarantined.map(({ reason }) => reason)).toEqual(['truncated', 'truncated', 'truncated'])
    expect(JSON.stringify(quarantined)).not.toContain(testSecret.slice(0, 6))
    expect(quarantined[0]?.shownPayload).toContain('"type":"switch_event"')
    expect(await entriesOf(device)).toEqual([])
  })

  it('quarantines messages with missing fields and messages that are not JSON', async () => {
    const device = await school.device()
    await say('esp32/telemetry', {
      mac: device.macAddress,
      secret: testSecret,
      type: 'switch_event',
      gpio: 16,
      source: 'backend',
      timestamp: 1,
    })
    await say('esp32/state', { mac: device.macAddress, secret: testSecret })
    await say('esp32/state', 'reboot me')
    expect((await quarantineOf(device)).map(({ reason }) => reason)).toEqual(['invalid', 'invalid'])
    expect((await ingestion.quarantineCounts()).byReason.not_json).toBe(1)
  })

  it('quarantines unknown devices, and takes their messages when they are replayed after the registration', async () => {
    const mac = '02:00:00:00:BB:01'
    await say('esp32/telemetry', {
      mac: mac.toLowerCase(),
      secret: testSecret,
      type: 'switch_event',
      gpio: 16,
      state: true,
      source: 'manual',
      timestamp: 4_000,
    })
    expect(await school.volt.quarantine.find({ macAddress: mac })).toMatchObject([{ reason: 'unknown_device' }])
    const device = await school.device({ macAddress: mac })
    expect(await ingestion.replayQuarantine({ macAddress: mac })).toEqual({ used: 1, refused: 0, skipped: 0 })
    expect(states(await entriesOf(device))).toEqual([true])
    expect(await school.volt.quarantine.find({ macAddress: mac })).toEqual([])
  })

  it('takes the known switches of a snapshot and quarantines it for the unknown one', async () => {
    const device = await school.device()
    await say('esp32/state', {
      mac: device.macAddress,
      secret: testSecret,
      switches: [
        { gpio: 16, state: true },
        { gpio: 22, state: true },
      ],
    })
    expect(states(await entriesOf(device))).toEqual([true])
    expect(await quarantineOf(device)).toMatchObject([{ reason: 'unknown_switch' }])
  })

  it('takes online and offline from a topic that names the device, and learns nothing from one that does not', async () => {
    const device = await school.device()
    const bare = device.macAddress!.replaceAll(':', '').toLowerCase()
    await say(`esp32/status/${bare}`, 'online', '-r')
    expect((await school.volt.devices.get(device._id)).status).toBe('online')
    await say('esp32/status', 'offline', '-r')
    expect((await school.volt.devices.get(device._id)).status).toBe('online')
    await say(`esp32/status/${bare}`, 'offline', '-r')
    expect((await school.volt.devices.get(device._id)).status).toBe('offline')
    expect(await entriesOf(device)).toEqual([])
  })

  it('counts a device that starts again as off from its last sign of life until the start', async () => {
    const device = await school.device()
    await switchEvent(device, true, 1_000_000)
    school.clock.advance(30_000)
    await snapshot(device, true, false)
    school.clock.advance(50_000)
    // Booted 20 s ago; its relays were restored, and now it is switched off.
    await switchEvent(device, false, 20_000)
    const entries = (await entriesOf(device)).toSorted((a, b) => a.timestamp.getTime() - b.timestamp.getTime())
    expect(states(entries)).toEqual([true, false, true, false])
    expect(entries[1]?.flags).toEqual(expect.arrayContaining(['reboot', 'estimated']))
    const seconds = entries.map(({ timestamp }) =>
      Math.round((timestamp.getTime() - (entries[0]?.timestamp.getTime() ?? 0)) / 1000),
    )
    expect(seconds[1]).toBe(30)
    expect(seconds[2]).toBe(60)
    expect(seconds[3]).toBe(80)
    expect(kwhOf(await entriesOf(device))).toBeCloseTo((60 * 50) / 3.6e6, 5)
  })

  it('believes a snapshot after a restart that reports a switch on which was off', async () => {
    const device = await school.device()
    await snapshot(device, false, false)
    await snapshot(device, true, false)
    expect(await entriesOf(device)).toMatchObject([{ powerState: false }, { powerState: true, flags: ['snapshot'] }])
  })

  it('goes on when the milliseconds since boot wrap after 49.7 days', async () => {
    const device = await school.device()
    await switchEvent(device, true, 2 ** 32 - 5_000)
    school.clock.advance(10_000)
    await switchEvent(device, false, 5_000)
    const [on, off] = await entriesOf(device)
    expect(off?.metadata.bootId).toBe(on?.metadata.bootId)
    expect(off?.flags).toEqual([])
    expect(Math.round(((off?.timestamp.getTime() ?? 0) - (on?.timestamp.getTime() ?? 0)) / 1000)).toBe(10)
  })

  it('keeps the energy of a silence, as an estimate, if the device comes back as it was', async () => {
    const device = await school.device()
    await snapshot(device, true, false)
    school.clock.advance(3_600_000)
    await snapshot(device, true, false)
    const entries = await entriesOf(device)
    expect(entries).toMatchObject([{ powerState: true }, { powerState: true, flags: ['estimated', 'snapshot'] }])
    expect(entries[1]?.silentSince).toBeInstanceOf(Date)
    expect(kwhOf(entries)).toBeCloseTo(0.06, 4)
  })

  it('counts energy to the last sign of life if the device comes back in another state', async () => {
    const device = await school.device()
    await snapshot(device, true, false)
    school.clock.advance(60_000)
    await snapshot(device, true, false)
    school.clock.advance(3_600_000)
    await snapshot(device, false, false)
    expect(kwhOf(await entriesOf(device))).toBeCloseTo(0.001, 4)
  })

  it('takes the metered build from a topic that is mapped to a device, and from no other', async () => {
    const meter = await school.volt.devices.findByMacAddress('02:00:00:00:aa:01')
    if (meter === null) throw new Error('no meter')
    const message = (energy: number | null, at: number) => ({
      esp32_name: 'lab',
      classroom: 'Lab 1',
      device_id: 'd1',
      timestamp: at,
      energy_wh_total: energy,
      power_w: 60,
      switch_state: { s1: true },
      sequence_no: 1,
    })
    const now = school.clock.now().getTime()
    await say('lab/meter/telemetry', message(1000, now - 60_000))
    await say('lab/meter/telemetry', message(1001.5, now))
    await say('lab/meter/telemetry', message(null, now + 1))
    await mosquittoPub(mosquitto.port, 'lab/other/telemetry', message(5000, now))
    const entries = await entriesOf(meter, 1)
    expect(entries).toMatchObject([
      { eventType: 'power_reading', energySource: 'counter' },
      { reading: { energyWh: 1001.5, powerW: 60 } },
      // Null is what is not reported: a reading without a count, which adds nothing.
      { reading: { powerW: 60 } },
    ])
    expect(entries[1]?.cumulativeEnergy).toBe(5400)
    expect(entries[2]).toMatchObject({ cumulativeEnergy: 5400, reading: { powerW: 60 } })
  })

  it('leaves a ledger that verifies', async () => {
    expect(await school.volt.ledger.verify()).toMatchObject({ valid: true, findings: [] })
  })
})
