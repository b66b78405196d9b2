import { beforeEach } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { Device } from '../../../src/devices/device.js'
import { anEvent, type HostEvent } from '../../ledger/support/events.js'
import { aClassroom, aDevice, aSwitch } from '../../support/builders.js'
import type { TestDatabase } from '../../support/database.js'

/** Empties what the energy tests write, before each test. */
export function emptyBeforeEach({ db }: TestDatabase): void {
  beforeEach(async () => {
    const names = [
      'classrooms',
      'devices',
      'power_settings',
      'cost_versions',
      'tariffs',
      'recostings',
      'audit_logs',
      'power_consumption_ledger',
    ]
    for (const name of names) await db.collection(name).deleteMany({})
  })
}

/** A device with one switch, in a classroom of its own in this time zone. */
export async function aSite(
  volt: AutoVolt,
  { timeZone = 'UTC', lastSignOfLifeAt }: { readonly timeZone?: string; readonly lastSignOfLifeAt?: Date } = {},
) {
  const room = await volt.classrooms.create(aClassroom({ timeZone }))
  const device = await volt.devices.create(
    aDevice({ classroom: room._id, switches: [aSwitch()], ...(lastSignOfLifeAt && { lastSignOfLifeAt }) }),
  )
  return { room: room._id, device, switchId: device.switches[0]!._id, event: eventsOf(device) }
}

/** Makes events of the device's first switch. */
export function eventsOf(device: Device) {
  const own = { deviceId: device._id, switchId: device.switches[0]!._id, classroom: device.classroom! }
  const event = (time: string, overrides: Partial<HostEvent>) =>
    anEvent({ ...own, timestamp: new Date(time), gapLimitMs: 1e9, ...overrides })
  return {
    rated: (time: string, on: boolean, overrides: Partial<HostEvent> = {}) =>
      event(time, {
        eventType: on ? 'switch_on' : 'switch_off',
        powerState: on,
        energySource: 'rated',
        powerRating: 1000,
        ...overrides,
      }),
    power: (time: string, powerW: number, overrides: Partial<HostEvent> = {}) =>
      event(time, { energySource: 'power', reading: { powerW }, ...overrides }),
    adjustment: (time: string, adjustment: NonNullable<HostEvent['adjustment']>, overrides: Partial<HostEvent> = {}) =>
      event(time, { eventType: 'manual_adjustment', reading: undefined, adjustment, ...overrides }),
    counter: (time: string, kwh: number, overrides: Partial<HostEvent> = {}) =>
      event(time, { energySource: 'counter', reading: { energyWh: kwh * 1000 }, ...overrides }),
  }
}
