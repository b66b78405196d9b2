import type { ObjectId } from 'mongodb'
import {
  type CounterReading,
  type CounterRules,
  compareReadings,
  DEFAULT_MAXIMUM_POWER_W,
  type EnergyStretch,
  powerStretch,
  type ReadingOrder,
  ratedStretches,
} from '../metering/index.js'
import type { LedgerEntry, LedgerEvent } from './entry.js'

/** What an entry says about energy. */
export interface Fact extends ReadingOrder {
  readonly source: LedgerEntry['energySource']
  readonly classroom: ObjectId
  readonly on: boolean
  /** W; the power that holds from here on: measured, or rated. */
  readonly powerW: number
  /** Wh; for a counter. */
  readonly energyWh: number
  /** For a counter. */
  readonly counter: CounterRules | undefined
  readonly gapLimitMs: number
  readonly silentSinceMs: number | undefined
  /** Currency units per kWh from here on. */
  readonly ratePerKwh: number
}

type Told = Pick<
  LedgerEvent,
  | 'classroom'
  | 'timestamp'
  | 'eventType'
  | 'powerState'
  | 'powerRating'
  | 'energySource'
  | 'reading'
  | 'gapLimitMs'
  | 'silentSince'
  | 'ratePerKwh'
  | 'metadata'
  | 'idempotencyKey'
>

/**
 * What the entry or event says about energy: a reading of its switch's energy source, or for a rated switch a change of
 * state. Undefined if it says nothing, as a change of state of a metered switch does.
 */
export function factOf(told: Told): Fact | undefined {
  const { energySource, reading } = told
  if (energySource === 'rated') return told.eventType === 'power_reading' ? undefined : fact(told, told.powerRating, 0)
  if (energySource === 'power') return reading?.powerW === undefined ? undefined : fact(told, reading.powerW, 0)
  return reading?.energyWh === undefined ? undefined : fact(told, 0, reading.energyWh)
}

function fact(told: Told, powerW: number, energyWh: number): Fact {
  return {
    source: told.energySource,
    classroom: told.classroom,
    atMs: told.timestamp.getTime(),
    boot: told.metadata.bootId,
    sequence: told.metadata.deviceSequence,
    digest: told.idempotencyKey,
    on: told.powerState,
    powerW,
    energyWh,
    counter: told.energySource === 'counter' ? counterRulesOf(told.reading) : undefined,
    gapLimitMs: told.gapLimitMs,
    silentSinceMs: told.silentSince?.getTime(),
    ratePerKwh: told.ratePerKwh,
  }
}

function counterRulesOf(reading: Told['reading']): CounterRules {
  return {
    quantumWh: reading?.counterQuantumWh ?? 0,
    widthWh: reading?.counterWidthWh,
    maximumPowerW: reading?.maximumPower ?? DEFAULT_MAXIMUM_POWER_W,
  }
}

/** Orders facts of one switch by time, never by arrival. */
export const compareFacts: (a: Fact, b: Fact) => number = compareReadings

/** The energy between two neighbouring facts of one source; counters are not decided pair by pair. */
export function stretchesBetween(from: Fact, to: Fact): EnergyStretch[] {
  if (from.source === 'power') return [powerStretch(from, to)]
  return ratedStretches(toSwitchState(from), toSwitchState(to))
}

function toSwitchState(fact: Fact) {
  return { atMs: fact.atMs, on: fact.on, ratedPowerW: fact.powerW, silentSinceMs: fact.silentSinceMs }
}

/** The fact as a counter reading. */
export function toCounterReading(fact: Fact): CounterReading {
  return {
    atMs: fact.atMs,
    boot: fact.boot,
    sequence: fact.sequence,
    digest: fact.digest,
    energyWh: fact.energyWh,
    gapLimitMs: fact.gapLimitMs,
  }
}
