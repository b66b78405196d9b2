import type { ObjectId } from 'mongodb'
import type { Fact } from '../ledger/fact.js'
import { stretchesBetween, toCounterReading } from '../ledger/fact.js'
import type { FactStore } from '../ledger/fact-store.js'
import { decideCounter, type EnergyStretch, ratedPowerStretches } from '../metering/index.js'

/** A stretch of a switch's energy, and what held when it began. */
export interface AttributedStretch {
  readonly stretch: EnergyStretch
  readonly classroom: ObjectId
  /** Currency units per kWh. */
  readonly ratePerKwh: number
}

/** A range of time, epoch milliseconds; the end is not part of it. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The stretches of a switch's energy that reach into a range, from the ledger alone.
 * @param lastSignOfLifeMs How far a rated switch that is still on is known to have been on.
 */
export async function* switchStretches(
  facts: FactStore,
  switchId: ObjectId,
  range: TimeRange,
  lastSignOfLifeMs: number | undefined,
): AsyncGenerator<AttributedStretch, void, undefined> {
  for (const source of await facts.sources(switchId)) {
    if (source === 'counter') yield* counterStretches(facts, switchId, range)
    else yield* neighbourStretches(facts, switchId, source, range, lastSignOfLifeMs)
  }
}

async function* neighbourStretches(
  facts: FactStore,
  switchId: ObjectId,
  source: 'power' | 'rated',
  range: TimeRange,
  lastSignOfLifeMs: number | undefined,
): AsyncGenerator<AttributedStretch, void, undefined> {
  let last: Fact | undefined
  for await (const fact of facts.between(switchId, source, range.fromMs, range.toMs)) {
    if (last !== undefined) for (const stretch of stretchesBetween(last, fact)) yield attributed(stretch, last)
    last = fact
  }
  if (last === undefined || source !== 'rated') return
  const open = ratedPowerStretches([{ ...last, ratedPowerW: last.powerW }], { lastSignOfLifeMs })
  for (const stretch of open) yield attributed(stretch, last)
}

/** Counters are decided over many readings: over the range, and as far around it as decisions reach. */
async function* counterStretches(
  facts: FactStore,
  switchId: ObjectId,
  { fromMs, toMs }: TimeRange,
): AsyncGenerator<AttributedStretch, void, undefined> {
  const latest = await facts.latest(switchId, 'counter', undefined)
  const rules = latest?.counter
  if (rules === undefined) return
  const around = new Map<string, Fact>()
  const keep = (fact: Fact) => void around.set(`${fact.atMs} ${fact.digest}`, fact)
  for (const fact of await facts.counterWindow(switchId, fromMs, rules, undefined)) keep(fact)
  for await (const fact of facts.between(switchId, 'counter', fromMs, toMs)) keep(fact)
  for (const fact of await facts.counterWindow(switchId, toMs, rules, undefined)) keep(fact)
  const byInstant = new Map([...around.values()].map((fact) => [fact.atMs, fact]))
  for (const stretch of decideCounter([...around.values()].map(toCounterReading), rules).stretches) {
    yield attributed(stretch, byInstant.get(stretch.fromMs) ?? (latest as Fact))
  }
}

function attributed(stretch: EnergyStretch, { classroom, ratePerKwh }: Fact): AttributedStretch {
  return { stretch, classroom, ratePerKwh }
}
