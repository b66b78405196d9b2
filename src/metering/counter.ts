import {
  type CounterDecision,
  type CounterRecorder,
  type CounterState,
  counterReader,
  UNREAD_COUNTER,
} from './counter-machine.js'
import { type CounterLevel, type CounterReading, counterInstants } from './counter-reading.js'
import { type CounterRules, counterBounds } from './counter-rules.js'
import type { EnergyStretch } from './stretch.js'

/** One reading, what was decided about it, and the energy that it adds. */
export interface DecidedReading {
  reading: CounterReading
  decision: CounterDecision
  /** Whole milliwatt-seconds; 0 unless the reading is accepted. */
  addedMws: number
  /** True where the same instant has readings of different counts, of which this is one. */
  contested: boolean
}

/** What a set of counter readings comes to. */
export interface CounterOutcome {
  /** The time between accepted readings, without holes, as consumption. */
  stretches: EnergyStretch[]
  /** One for each distinct reading, in order. */
  decisions: DecidedReading[]
  /** Whether the last readings wait for later ones to decide about them: they add nothing yet. */
  pending: boolean
  /** The energy of all stretches, whole milliwatt-seconds. */
  energyMws: number
  /** Where to go on when later readings come; see {@link decideCounter}. */
  state: CounterState
}

/**
 * Decides which readings of an energy counter count, and what energy they add. The readings may come in any order and
 * repeatedly: the outcome is the same. With `after`, the state of an earlier outcome, the readings are taken as the ones
 * that follow, and energy and decisions are those that they add; they must all be later.
 *
 * @throws RangeError if a reading's value is not one that a counter can show (ask `isCounterValue` first), if the rules are
 * impossible, or if a reading is not later than `after`.
 * @example
 * const minute = (at: number, energyWh: number) => ({ atMs: at * 60_000, energyWh, gapLimitMs: 300_000 })
 * decideCounter([minute(0, 100), minute(1, 0), minute(2, 160)], { quantumWh: 1, maximumPowerW: 25_000 }).energyMws
 * // 216_000_000, which is 60 Wh
 */
export function decideCounter(
  readings: readonly CounterReading[],
  rules: CounterRules,
  after: CounterState = UNREAD_COUNTER,
): CounterOutcome {
  const bounds = counterBounds(rules)
  const instants = counterInstants(readings)
  const first = instants[0]?.level.atMs
  if (first !== undefined && after.untilMs !== undefined && first <= after.untilMs) {
    throw new RangeError(`A reading at ${first} is not later than the readings until ${after.untilMs}`)
  }
  const record = counterRecord()
  const read = counterReader(bounds, record)
  const state = instants.reduce((before, { level }) => read(before, level), after)
  return {
    stretches: record.stretches,
    decisions: instants.flatMap((instant) => decisionsOf(instant, record.decisionOf(instant.level))),
    pending: state.lowRun !== undefined || state.held.length > 0,
    energyMws: record.stretches.reduce((sum, { consumedMws }) => sum + consumedMws, 0),
    state,
  }
}

type Decided = Pick<DecidedReading, 'decision' | 'addedMws'>

function decisionsOf(
  { reading, others }: ReturnType<typeof counterInstants>[number],
  decided: Decided,
): DecidedReading[] {
  const contested = others.some(({ sameCount }) => !sameCount)
  const beside = others.map(({ reading: other, sameCount }): DecidedReading => {
    return { reading: other, decision: sameCount ? 'duplicate' : 'superseded', addedMws: 0, contested }
  })
  return [...beside, { reading, ...decided, contested }]
}

function counterRecord() {
  const stretches: EnergyStretch[] = []
  const decided = new Map<CounterLevel, Decided>()
  let lowRun: CounterLevel[] = []
  const recorder: CounterRecorder = {
    decide(level, decision) {
      decided.set(level, { decision, addedMws: 0 })
      if (decision === 'low_run') lowRun.push(level)
    },
    dropLowRun() {
      for (const level of lowRun) decided.set(level, { decision: 'glitch', addedMws: 0 })
      lowRun = []
    },
    add(from, to, addedMws, capped) {
      const estimated = capped || to.atMs - from.atMs > from.gapLimitMs
      const quality = estimated ? 'estimated' : 'measured'
      stretches.push({ fromMs: from.atMs, toMs: to.atMs, consumedMws: addedMws, producedMws: 0, quality })
      const before = decided.get(to)
      if (before !== undefined) before.addedMws = addedMws
    },
  }
  return { ...recorder, stretches, decisionOf }

  function decisionOf(level: CounterLevel): Decided {
    const found = decided.get(level)
    if (found === undefined) throw new Error(`No decision was taken about the reading at ${level.atMs}`)
    return found
  }
}
