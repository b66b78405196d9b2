import type { ObjectId } from 'mongodb'
import type { FactStore } from '../ledger/facts/fact-store.js'
import { type FactStretch, SwitchMeter } from '../ledger/facts/switch-meter.js'

/** A range of time, epoch milliseconds; the end is not part of it. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The stretches of a switch's energy that reach into a range, in the order of time, from the ledger alone.
 * @param meter Stands afterwards where the range ends.
 * @param lastSignOfLifeMs How far a rated switch that is still on is known to have been on.
 * @param throughSequence Later entries of the chain are left out.
 */
export async function* switchStretches(
  facts: FactStore,
  switchId: ObjectId,
  { fromMs, toMs }: TimeRange,
  lastSignOfLifeMs: number | undefined,
  meter = new SwitchMeter(),
  throughSequence?: number,
): AsyncGenerator<FactStretch, void, undefined> {
  const reachesIn = ({ stretch }: FactStretch) => stretch.toMs > fromMs && stretch.fromMs < toMs
  for await (const page of facts.from(switchId, fromMs, toMs, throughSequence)) {
    yield* meter.take(page).filter(reachesIn)
    if (meter.settledMs >= toMs) return
  }
  if (lastSignOfLifeMs !== undefined) yield* meter.until(lastSignOfLifeMs).filter(reachesIn)
}
