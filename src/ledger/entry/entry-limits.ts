// What the values of an entry can be: for those who write entries, and those who read them. See docs/ledger-format.md, section 1.

/** What a host can append. */
export const eventTypes = [
  'switch_on',
  'switch_off',
  'power_reading',
  'refused_reading',
  /** Of a rated switch: its device was alive, and it was as before; with `silentSince`, after a silence. */
  'sign_of_life',
  /** Of a rated switch: its device has started again, and it was off from `silentSince` on. */
  'restart',
  'manual_adjustment',
] as const

/** What an entry can be: an erasure is appended by `erase` alone. */
export const entryTypes = [...eventTypes, 'erasure'] as const

export const entrySources = ['mqtt', 'api', 'manual', 'calculated', 'migration'] as const

export const energySources = ['counter', 'power', 'rated'] as const

/** What a host can say of its event. */
export const eventFlags = [
  /** It arrived after an entry with a later time stamp. */
  'late',
  /** Its device had no credible clock; the time is that of the arrival. */
  'clock_replaced',
  /** The local time that the device gave occurs twice that day, and nothing decides between the two. */
  'clock_ambiguous',
  /** What happened while the device was silent is inferred. */
  'estimated',
  /** It was read off a snapshot of all relays, not reported as an event. */
  'snapshot',
  /** It records the restart of the device. */
  'reboot',
] as const

/** In the order in which an entry has them. */
export const entryFlags = [
  ...eventFlags,
  /** It is the first of its chain, or its device or classroom is another than that of the entry before it. */
  'placed',
] as const

export type EventType = (typeof entryTypes)[number]
export type EntryFlag = (typeof entryFlags)[number]

/** W·s; up to here a register's milliwatt-seconds are whole numbers that nothing is lost of. */
export const maximumRegisterWs = 8e12

/** The smallest and the largest value of each number, in the unit of its field. */
export const numberLimits = {
  sequence: [1, Number.MAX_SAFE_INTEGER],
  powerRating: [0, 1e6],
  powerW: [-1e9, 1e9],
  energyWh: [0, 1e15],
  counterQuantumWh: [0, 1e6],
  counterWidthWh: [0, 1e15],
  maximumPower: [1, 1e9],
  energyWs: [-maximumRegisterWs, maximumRegisterWs],
  productionWs: [-maximumRegisterWs, maximumRegisterWs],
  cost: [-1e9, 1e9],
  gapLimitMs: [1000, 1e9],
  ratePerKwh: [-1e6, 1e6],
  voltage: [-1e6, 1e6],
  current: [-1e6, 1e6],
  powerFactor: [-1, 1],
  temperature: [-273.15, 1e4],
  deviceSequence: [0, Number.MAX_SAFE_INTEGER],
  cumulativeEnergy: [-maximumRegisterWs, maximumRegisterWs],
  cumulativeProduction: [-maximumRegisterWs, maximumRegisterWs],
  calculatedCost: [-1e12, 1e12],
} as const satisfies Readonly<Record<string, readonly [minimum: number, maximum: number]>>

/** The fewest and the most characters (code points) of each free text. */
export const textLimits = {
  firmwareVersion: [0, 100],
  bootId: [1, 64],
  originalRecordId: [0, 200],
  idempotencyKey: [1, 200],
} as const satisfies Readonly<Record<string, readonly [fewest: number, most: number]>>
