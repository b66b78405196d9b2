import { isCounterValue } from '../metering/index.js'
import type { SwitchReport } from './report.js'

type Cause = SwitchReport['cause']
type Usable<Value> = (value: unknown) => value is Value

const isBoolean: Usable<boolean> = (value) => typeof value === 'boolean'
const within =
  (minimum: number, maximum: number): Usable<number> =>
  (value): value is number =>
    typeof value === 'number' && value >= minimum && value <= maximum
const textUpTo =
  (length: number): Usable<string> =>
  (value): value is string =>
    typeof value === 'string' && value.length <= length && !/\p{Surrogate}/u.test(value)

const isNumberInOrder: Usable<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const causes: readonly unknown[] = ['backend', 'manual', 'schedule', 'restore', 'unknown'] satisfies Cause[]
const isCause: Usable<Cause> = (value): value is Cause => causes.includes(value)

/** The values beside the point of a message. */
interface SideValues {
  on: boolean
  powerW: number
  energyWh: number
  voltage: number
  current: number
  powerFactor: number
  frequency: number
  temperature: number
  sequence: number
  run: number
  connection: number
  cause: Cause
  userId: string
  userName: string
  command: string
  detail: string
  firmwareVersion: string
  uptimeSeconds: number
  signalStrength: number
  freeHeap: number
  humidity: number
  status: string
}

/** What they have to be like: what the ledger and the time series can store of them. */
const usables: { readonly [Name in keyof SideValues]: Usable<SideValues[Name]> } = {
  on: isBoolean,
  powerW: within(-1e9, 1e9),
  energyWh: (value): value is number => isCounterValue(value) && value <= 1e15,
  voltage: within(-1e6, 1e6),
  current: within(-1e6, 1e6),
  powerFactor: within(-1, 1),
  frequency: within(0, 1e6),
  temperature: within(-273.15, 1e4),
  sequence: isNumberInOrder,
  run: isNumberInOrder,
  connection: isNumberInOrder,
  cause: isCause,
  userId: textUpTo(128),
  userName: textUpTo(256),
  command: textUpTo(64),
  detail: textUpTo(300),
  firmwareVersion: textUpTo(100),
  uptimeSeconds: within(0, 1e12),
  signalStrength: within(-200, 100),
  freeHeap: within(0, 1e12),
  humidity: within(0, 100),
  status: textUpTo(50),
}

/** Takes the values that can be used, and keeps the names of the others. Null, or an empty text, is "not reported". */
export class UsableValues {
  readonly leftOut: string[] = []

  /** The value; undefined if it is not reported, or cannot be used. */
  take<Name extends keyof SideValues>(name: Name, value: unknown): SideValues[Name] | undefined {
    if (value === undefined || value === null || value === '') return undefined
    const isUsable: Usable<SideValues[Name]> = usables[name]
    if (isUsable(value)) return value
    this.leftOut.push(name)
    return undefined
  }
}
