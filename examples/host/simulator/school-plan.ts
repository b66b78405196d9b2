import type { DeployedPlan, DevicePlan, SwitchPlan, V2Plan } from './plan.js'
import { Random } from './random.js'
import { uptimeWrapMs } from './uptime.js'

export const timeZone = 'Asia/Kolkata'

export const rooms = [
  { name: 'Room 101', building: 'Main', floor: 1, capacity: 60 },
  { name: 'Room 102', building: 'Main', floor: 1, capacity: 60 },
  { name: 'Physics lab', building: 'Science', floor: 0, capacity: 40 },
  { name: 'Computer lab', building: 'Science', floor: 1, capacity: 30 },
  { name: 'Library', building: 'Main', floor: 2, capacity: 120 },
  { name: 'Auditorium', building: 'Annex', floor: 0, capacity: 400 },
  { name: 'Cafeteria', building: 'Annex', floor: 0, capacity: 150 },
  { name: 'Roof', building: 'Science', floor: 2 },
] as const

/** The rooms of the school: the database has the site of its neighbours too. */
export const roomNames: readonly string[] = rooms.map(({ name }) => name)

/** The pins of the relays, as the boards are built. */
const pins = [16, 17, 18, 19, 21, 22] as const

export interface SchoolPlan {
  readonly devices: readonly DevicePlan[]
  /** A device that is on the air already, though nobody has registered it. */
  readonly unregistered: DeployedPlan
}

/**
 * The devices of the school: seven with the deployed firmware, five with version 2, and one that nobody knows of yet.
 * @param seed The same seed gives the same secrets.
 */
export function planSchool(seed: number): SchoolPlan {
  const random = new Random(seed).fork('school')
  const devices = [...deployedDevices(random), ...v2Devices(random)]
  const unregistered = deployed(random, 13, 'Physics lab annex', 'Physics lab', relays('light 40', 'light 40'))
  return { devices, unregistered }
}

function deployedDevices(random: Random): DeployedPlan[] {
  const large = { state: 512, event: 512, heartbeat: 128 }
  const usual = { state: 512, event: 256, heartbeat: 128 }
  const small = { state: 512, event: 128, heartbeat: 128 }
  return [
    deployed(random, 1, 'Room 101 front', 'Room 101', relays('light 72', 'light 72', 'fan 75', 'fan 75'), {
      buffers: large,
    }),
    deployed(random, 2, 'Room 101 back', 'Room 101', relays('light 72', 'fan 75', 'projector 280'), {
      reportingPeriodMs: 5_000,
    }),
    deployed(
      random,
      3,
      'Room 102',
      'Room 102',
      relays('light 72', 'light 72', 'fan 75', 'fan 75', 'fan 75', 'projector 280'),
      { buffers: usual },
    ),
    // Its milliseconds start again at zero about a minute after the start.
    deployed(random, 4, 'Library hall', 'Library', relays('light 110', 'light 110', 'light 110', 'fan 85', 'fan 85'), {
      uptimeMs: uptimeWrapMs - 60_000,
    }),
    // Older builds: their events are longer than their buffer, so only their snapshots can be used.
    deployed(random, 5, 'Library corridor', 'Library', relays('light 36', 'light 36'), {
      buffers: small,
      secretLength: 40,
    }),
    deployed(random, 6, 'Physics lab', 'Physics lab', relays('light 72', 'light 72', 'fan 75', 'socket 600'), {
      buffers: small,
      secretLength: 128,
      reportingPeriodMs: 5_000,
    }),
    // The JSON document of its events has no room for all fields: the answer to a command has no time.
    deployed(random, 7, 'Cafeteria', 'Cafeteria', relays('light 54', 'light 54', 'fan 90'), {
      documentBytes: 200,
      secretLength: 64,
    }),
  ]
}

function v2Devices(random: Random): V2Plan[] {
  return [
    v2(random, 8, 'Computer lab desks', 'Computer lab', [meter(0, 'Desk computers', 4_000, 'computers', 'power')]),
    v2(random, 9, 'Computer lab climate', 'Computer lab', [
      { ...meter(16, 'Air conditioner', 1_600, 'airConditioner', 'power'), type: 'socket' },
    ]),
    v2(random, 10, 'Cafeteria kitchen', 'Cafeteria', [
      meter(0, 'Kitchen', 3_000, 'kitchen', 'counter'),
      { ...meter(16, 'Sockets', 2_000, 'sockets', 'counter'), type: 'socket' },
    ]),
    v2(random, 11, 'Roof panels', 'Roof', [meter(0, 'Solar panels', 4_000, 'solar', 'power')], {
      timeFormat: 'iso',
      freeHeapBytes: 220_000,
    }),
    v2(
      random,
      12,
      'Auditorium',
      'Auditorium',
      relays('light 240', 'light 240', 'light 240', 'fan 120', 'projector 420'),
      { reportingPeriodMs: 30_000 },
    ),
  ]
}

function deployed(
  random: Random,
  number: number,
  name: string,
  room: string,
  switches: SwitchPlan[],
  own: Partial<DeployedPlan> & { secretLength?: number } = {},
): DeployedPlan {
  const { secretLength = 32, ...rest } = own
  return {
    protocol: 'deployed',
    ...installed(random, number, name, room, switches, secretLength),
    reportingPeriodMs: 30_000,
    buffers: { state: 512, event: 256, heartbeat: 128 },
    documentBytes: 1_024,
    uptimeMs: random.integer(60_000, 20 * 86_400_000),
    ...rest,
  }
}

function v2(
  random: Random,
  number: number,
  name: string,
  room: string,
  switches: SwitchPlan[],
  own: Partial<V2Plan> = {},
): V2Plan {
  const base = installed(random, number, name, room, switches, 48)
  const usual = { reportingPeriodMs: 5_000, firmware: '2.1.0', freeHeapBytes: 143_000, timeFormat: 'epoch' } as const
  return { protocol: 'v2', ...base, ...usual, ...own }
}

/** The addresses are locally administered ones, so no real device has them. */
function installed(
  random: Random,
  number: number,
  name: string,
  room: string,
  switches: SwitchPlan[],
  secretLength: number,
) {
  const macAddress = `02:A0:70:17:00:${number.toString(16).padStart(2, '0').toUpperCase()}`
  return { name, room, macAddress, secret: random.text(secretLength), switches }
}

const words = { light: 'Light', fan: 'Fan', projector: 'Projector', socket: 'Sockets', meter: 'Meter' }

/** Relays in the order of the pins, each told by its kind and watts: `fan 75`. */
function relays(...loads: `${SwitchPlan['type']} ${number}`[]): SwitchPlan[] {
  const counts = new Map<string, number>()
  return loads.map((load, at) => {
    const [type, watts] = load.split(' ') as [SwitchPlan['type'], string]
    const number = (counts.get(type) ?? 0) + 1
    counts.set(type, number)
    const isOnly = loads.filter((other) => other.startsWith(type)).length === 1
    return {
      name: isOnly ? words[type] : `${words[type]} ${number}`,
      gpio: pins[at] ?? 0,
      type,
      powerRating: Number(watts),
    }
  })
}

function meter(
  gpio: number,
  name: string,
  powerRating: number,
  load: NonNullable<SwitchPlan['load']>,
  energySource: 'counter' | 'power',
): SwitchPlan {
  return {
    name,
    gpio,
    type: 'meter',
    powerRating,
    load,
    energySource,
    ...(energySource === 'counter' ? { counterQuantumWh: 0.1 } : {}),
  }
}
