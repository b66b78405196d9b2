import type { EntityRule } from '../core/entity.js'

/** The pins of a board: those that a relay may be on, and those that can only be read. */
interface Board {
  readonly outputs: readonly number[]
  readonly inputsOnly: readonly number[]
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at)

/** Pins that flash, USB or the serial console have are reserved. */
function board(pins: readonly number[], reserved: readonly number[], inputsOnly: readonly number[]): Board {
  return { outputs: pins.filter((pin) => !reserved.includes(pin) && !inputsOnly.includes(pin)), inputsOnly }
}

/** By PlatformIO's names of the boards. Sources: the data sheets of Espressif's chips, chapter "Pin Definitions". */
const boards: Readonly<Record<string, Board>> = {
  esp32dev: board(range(0, 39), [1, 3, ...range(6, 11)], range(34, 39)),
  'esp32-s2-saola-1': board([...range(0, 21), ...range(26, 46)], [19, 20, ...range(26, 32), 43, 44], [46]),
  'esp32-s3-devkitc-1': board([...range(0, 21), ...range(26, 48)], [19, 20, ...range(26, 32), 43, 44], []),
  'esp32-c3-devkitm-1': board(range(0, 21), range(11, 21), []),
}

export const defaultBoard = 'esp32dev'

/** A device as far as its pins go. */
export interface PinUser {
  readonly type?: unknown
  readonly hardware?: { readonly boardType?: unknown } | undefined
  readonly config?: SensorPins | undefined
  readonly switches?: readonly PinnedSwitch[] | undefined
}

interface SensorPins {
  readonly motionSensorEnabled?: boolean
  readonly motionSensorPin?: number
  readonly microwaveSensorEnabled?: boolean
  readonly microwaveSensorPin?: number
}

interface PinnedSwitch {
  readonly gpio: number
  readonly type?: string | undefined
  readonly energySource?: string | undefined
  readonly manualGpio?: number | undefined
}

/** A channel of a meter has a number, and no pin. */
function isRelay({ type, energySource }: PinnedSwitch): boolean {
  return type !== 'meter' && energySource === 'rated'
}

interface PinUse {
  readonly path: string
  readonly pin: number
  readonly isOutput: boolean
}

interface PinProblem {
  readonly path: string
  readonly message: string
}

/** The first thing that is wrong with the pins of an ESP32; undefined where nothing is, where it has another type, or its board is in no table. */
export function pinProblem(device: PinUser): PinProblem | undefined {
  const name = String(device.hardware?.boardType ?? defaultBoard)
  const found = Object.hasOwn(boards, name) ? boards[name] : undefined
  if (device.type !== 'esp32' || found === undefined) return undefined
  const uses = usesOf(device)
  for (const [at, { path, pin, isOutput }] of uses.entries()) {
    const first = uses.findIndex((other) => other.pin === pin)
    const isReadOnly = found.inputsOnly.includes(pin)
    if (!found.outputs.includes(pin) && (isOutput || !isReadOnly)) {
      const reason = isReadOnly ? 'can only be read' : 'is reserved or not there'
      return { path, message: `pin ${pin} ${reason} on the board ${name}` }
    }
    if (first < at) return { path, message: `pin ${pin} is in use already, by ${uses[first]?.path}` }
  }
  return undefined
}

function usesOf({ config = {}, switches = [] }: PinUser): PinUse[] {
  const relays = switches.flatMap((one, at) =>
    isRelay(one) ? [{ path: `switches.${at}.gpio`, pin: one.gpio, isOutput: true }] : [],
  )
  const wallSwitches = switches.flatMap(({ manualGpio }, at) =>
    manualGpio === undefined ? [] : [{ path: `switches.${at}.manualGpio`, pin: manualGpio, isOutput: false }],
  )
  const sensor = (name: 'motionSensor' | 'microwaveSensor') =>
    config[`${name}Enabled`] === true
      ? [{ path: `config.${name}Pin`, pin: config[`${name}Pin`] ?? -1, isOutput: false }]
      : []
  return [...relays, ...wallSwitches, ...sensor('motionSensor'), ...sensor('microwaveSensor')]
}

/** One expression for the server, made of the same table. */
export const pinRules: readonly EntityRule[] = [
  {
    path: 'switches',
    message: 'a pin is reserved, is used twice, can only be read, or is not there on this board',
    check: (device) => pinProblem(device) === undefined,
    explain: pinProblem,
    expression: { $or: [{ $ne: ['$type', 'esp32'] }, pinsExpression()] },
  },
]

function pinsExpression() {
  const relays = {
    $map: {
      input: {
        $filter: {
          input: '$switches',
          as: 'one',
          cond: { $and: [{ $ne: ['$$one.type', 'meter'] }, { $eq: ['$$one.energySource', 'rated'] }] },
        },
      },
      as: 'one',
      in: '$$one.gpio',
    },
  }
  // `$switches.manualGpio` leaves out the switches that have none.
  const inputs = { $concatArrays: ['$switches.manualGpio', sensorPin('motionSensor'), sensorPin('microwaveSensor')] }
  const fits = Object.entries(boards).map(([name, { outputs, inputsOnly }]) => ({
    $and: [
      { $eq: ['$$board', name] },
      { $setIsSubset: ['$$relays', outputs] },
      { $setIsSubset: ['$$inputs', [...outputs, ...inputsOnly]] },
      { $eq: [{ $size: { $setUnion: ['$$all', []] } }, { $size: '$$all' }] },
    ],
  }))
  const isUnknown = { $not: [{ $in: ['$$board', Object.keys(boards)] }] }
  const board = { $ifNull: ['$hardware.boardType', defaultBoard] }
  const all = { $concatArrays: ['$$relays', '$$inputs'] }
  return {
    $let: { vars: { relays, inputs, board }, in: { $let: { vars: { all }, in: { $or: [isUnknown, ...fits] } } } },
  }
}

function sensorPin(sensor: string) {
  return { $cond: [{ $eq: [`$config.${sensor}Enabled`, true] }, [`$config.${sensor}Pin`], []] }
}
