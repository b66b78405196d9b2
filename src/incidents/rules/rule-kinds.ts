/** What a measurement has, as far as rules look at it. */
export interface RuleReading {
  readonly atMs: number
  readonly power?: number | undefined
  readonly voltage?: number | undefined
  readonly current?: number | undefined
  readonly counter_wh?: number | undefined
  /** °C; of a sensor that is called `temperature`. */
  readonly temperature?: number | undefined
}

interface ReadingKind {
  readonly source: 'measurements' | 'telemetry'
  readonly unit: string
  /** Whether what is too low is wrong, and not what is too high. */
  readonly isBelow?: true
  /**
   * What a limit is compared with; undefined where the reading says nothing of it.
   * @param counterWh The counter that was read before.
   */
  readonly valueOf: (reading: RuleReading, counterWh: number | undefined) => number | undefined
  /** Whether it needs the counter that was read before. */
  readonly usesCounter?: true
}

/** The rules about readings, each with what it compares. */
export const readingKinds = {
  over_temperature: { source: 'telemetry', unit: '°C', valueOf: ({ temperature }) => temperature },
  over_current: { source: 'measurements', unit: 'A', valueOf: ({ current }) => current },
  over_voltage: { source: 'measurements', unit: 'V', valueOf: ({ voltage }) => voltage },
  under_voltage: { source: 'measurements', unit: 'V', isBelow: true, valueOf: ({ voltage }) => voltage },
  over_power: { source: 'measurements', unit: 'W', valueOf: ({ power }) => power },
  // What is used while nobody should: the times of the rule say when that is.
  idle_use: { source: 'measurements', unit: 'W', valueOf: ({ power }) => power },
  // The power that flows while the counter stands still.
  meter_stuck: {
    source: 'measurements',
    unit: 'W',
    usesCounter: true,
    valueOf: ({ power, counter_wh }, before) => {
      if (power === undefined || counter_wh === undefined || before === undefined) return undefined
      return counter_wh === before ? power : 0
    },
  },
  // How far the counter went back.
  meter_backwards: {
    source: 'measurements',
    unit: 'Wh',
    usesCounter: true,
    valueOf: ({ counter_wh }, before) => {
      if (counter_wh === undefined || before === undefined) return undefined
      return Math.max(0, before - counter_wh)
    },
  },
} as const satisfies Record<string, ReadingKind>

export const readingKindNames = Object.keys(readingKinds) as (keyof typeof readingKinds)[]
export type ReadingKindName = keyof typeof readingKinds

export function readingKindOf(name: string): ReadingKind | undefined {
  return Object.hasOwn(readingKinds, name) ? readingKinds[name as ReadingKindName] : undefined
}

/** The rules about states that have a limit. */
const limitedStateKindNames = ['quarantine_growing', 'energy_unusual', 'budget_exceeded'] as const

/** The rules about states: those that have a limit, and those that have a time alone. */
export const stateKindNames = [...limitedStateKindNames, 'device_offline', 'anchor_late', 'backup_old'] as const
export type StateKindName = (typeof stateKindNames)[number]

/** Those whose `raiseAt` is a limit. */
export const limitedKindNames: readonly string[] = [...readingKindNames, ...limitedStateKindNames]
