import type { Document } from 'mongodb'
import type { Fact, FactEntry } from './fact.js'

/**
 * Whether all of these are readings of a counter that stands still. Between the ends of such a run nothing is decided and
 * no energy found, so what lies in its middle need not be read.
 */
export function areStanding(facts: readonly Fact[]): boolean {
  const [first] = facts
  if (first?.counter === undefined) return false
  const { energyWh, counter } = first
  return facts.every(
    (fact) =>
      fact.counter !== undefined &&
      fact.energyWh === energyWh &&
      fact.counter.quantumWh === counter.quantumWh &&
      fact.counter.widthWh === counter.widthWh &&
      fact.counter.maximumPowerW === counter.maximumPowerW,
  )
}

/** Finds the same readings of the same counter, and nothing else. */
export function sameReading({ reading }: FactEntry): Document {
  const same = ['energyWh', 'counterQuantumWh', 'counterWidthWh', 'maximumPower'] as const
  // Null finds what is not there.
  const values = same.map((field) => [`reading.${field}`, reading?.[field] ?? null])
  return { energySource: 'counter', ...Object.fromEntries(values) }
}
