import type { ObjectId } from 'mongodb'
import {
  type CounterReading,
  type CounterRules,
  comparePowers,
  DEFAULT_MAXIMUM_POWER_W,
  type PowerReading,
  type SwitchState,
} from '../../metering/index.js'
import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'

/**
 * What an entry says about energy: a power reading, a counter reading or the state of a rated switch, as its source says.
 * The fields of the other two kinds are there and mean nothing.
 */
export interface Fact extends PowerReading, CounterReading, SwitchState {
  readonly source: LedgerEntry['energySource']
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  /** Whether its energy is production, whatever the sign. */
  readonly isProduction: boolean
  /** For a counter. */
  readonly counter: CounterRules | undefined
  /** Currency units per kWh from here on. */
  readonly ratePerKwh: number
  /** The number of its entry in the chain; undefined while it has none. */
  readonly entrySequence: number | undefined
}

/** The fields of an entry that a fact is made of, for the server. */
export const factFields = {
  _id: 0,
  sequence: 1,
  deviceId: 1,
  classroom: 1,
  timestamp: 1,
  eventType: 1,
  powerState: 1,
  powerRating: 1,
  energySource: 1,
  energyDirection: 1,
  reading: 1,
  gapLimitMs: 1,
  silentSince: 1,
  ratePerKwh: 1,
  'metadata.bootId': 1,
  'metadata.deviceSequence': 1,
  idempotencyKey: 1,
} as const

/** An entry as far as facts are made of it. */
export type FactEntry = Pick<LedgerEntry, 'sequence' | Exclude<FactField, 'metadata'>> & {
  readonly metadata: FactMetadata
}
type FactField = Extract<keyof typeof factFields, keyof LedgerEvent> | 'metadata'
type FactMetadata = Pick<LedgerEntry['metadata'], 'bootId' | 'deviceSequence'>
type EntryFields = Omit<FactEntry, 'sequence'> & Partial<Pick<FactEntry, 'sequence'>>

/**
 * What the entry or event says about energy: a reading of its switch's energy source, or for a rated switch a change of
 * state, or a sign of life. Undefined if it says nothing, as a change of state of a metered switch does. A reading that was
 * refused ends the power before it; of a counter it says nothing, for what it counted meanwhile is seen later.
 */
export function factOf(entry: EntryFields): Fact | undefined {
  const { energySource, eventType, reading } = entry
  if (eventType === 'manual_adjustment' || eventType === 'erasure') return undefined
  if (eventType === 'refused_reading')
    return energySource === 'power' ? fact(entry, undefined, 0, undefined) : undefined
  if (energySource === 'rated') return eventType === 'power_reading' ? undefined : fact(entry, 0, 0, undefined)
  if (isSignOfLife(eventType)) return undefined
  if (energySource === 'power')
    return reading?.powerW === undefined ? undefined : fact(entry, reading.powerW, 0, undefined)
  return reading?.energyWh === undefined ? undefined : fact(entry, 0, reading.energyWh, counterRulesOf(reading))
}

function fact(
  entry: EntryFields,
  powerW: number | undefined,
  energyWh: number,
  counter: CounterRules | undefined,
): Fact {
  return {
    source: entry.energySource,
    isProduction: entry.energyDirection === 'production',
    deviceId: entry.deviceId,
    classroom: entry.classroom,
    atMs: entry.timestamp.getTime(),
    boot: entry.metadata.bootId,
    sequence: entry.metadata.deviceSequence,
    digest: entry.idempotencyKey,
    on: isSignOfLife(entry.eventType) ? undefined : entry.powerState,
    isRestart: entry.eventType === 'restart',
    powerW,
    ratedPowerW: entry.powerRating,
    energyWh,
    counter,
    gapLimitMs: entry.gapLimitMs,
    silentSinceMs: entry.silentSince?.getTime(),
    ratePerKwh: entry.ratePerKwh,
    entrySequence: entry.sequence,
  }
}

function counterRulesOf({
  counterQuantumWh: quantumWh = 0,
  counterWidthWh: widthWh,
  maximumPower: maximumPowerW = DEFAULT_MAXIMUM_POWER_W,
}: NonNullable<EntryFields['reading']>): CounterRules {
  // A width of a few steps is a mistake in the device's registration; its readings can be decided without.
  return { quantumWh, maximumPowerW, widthWh: widthWh !== undefined && widthWh > 10 * quantumWh ? widthWh : undefined }
}

/** Of its switch it says only that it was as before, or off after a restart. */
function isSignOfLife(eventType: LedgerEvent['eventType']): boolean {
  return eventType === 'sign_of_life' || eventType === 'restart'
}

/**
 * Whether what lies before the fact makes no difference to what comes after it. Counter readings decide about each other,
 * and what a sign of life says depends on the state before it.
 */
export function isParting({ counter, on }: Fact): boolean {
  return counter === undefined && on !== undefined
}

/**
 * Orders facts of one switch by time, then the device's (boot, sequence), then idempotency key: never by arrival. A refused
 * reading comes before an accepted one of its message.
 */
export const compareFacts: (a: Fact, b: Fact) => number = comparePowers

/** The facts in order. */
export function inOrder(facts: readonly Fact[]): Fact[] {
  return facts.toSorted(compareFacts)
}
