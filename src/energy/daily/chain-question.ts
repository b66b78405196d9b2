import type { ObjectId } from 'mongodb'
import type { Fact } from '../../ledger/facts/fact.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import { type CalendarOf, type DaySpan, SlotTally } from '../roll-ups/slot-tally.js'
import type { TimeRange } from '../switch-energy.js'
import type { DailyTotals } from './daily-totals.js'
import type { LedgerChain } from './ledger-chains.js'

/** Chain question: what is asked of chains. */
export interface ChainQuestion {
  readonly totals: DailyTotals
  readonly span: DaySpan
  /** The instants that the span has in any time zone. */
  readonly range: TimeRange
  readonly calendarOf: CalendarOf
  /** When the device of a switch last reported, epoch milliseconds, by the switch's id in hexadecimal. */
  readonly signsOfLife: ReadonlyMap<string, number>
}

/** Where a chain ends. */
export interface ChainEnd {
  readonly switchId: ObjectId
  /** The newest fact, by time. */
  readonly last: Fact
  /** Whether the last readings of a counter wait for later ones. */
  readonly isPending: boolean
}

/** Where a chain ends that is in the roll-ups as a whole; nothing if it has no fact that something goes on after. */
export function endOf({ switchId, progress: { lastFact: last, isPending } }: LedgerChain): ChainEnd[] {
  return last === undefined ? [] : [{ switchId, last, isPending }]
}

/** Adds what goes on after the ends of chains: the states of rated switches, up to the last sign of life of each. */
export function addEnds(question: ChainQuestion, ends: Iterable<ChainEnd>): void {
  const { totals, signsOfLife } = question
  const tally = newTally(question)
  for (const { switchId, last, isPending } of ends) {
    if (isPending) totals.wait(switchId, last)
    const id = switchId.toHexString()
    const aliveMs = signsOfLife.get(id)
    if (aliveMs === undefined || last.source !== 'rated') continue
    const meter = new SwitchMeter()
    meter.take([last])
    for (const found of meter.until(aliveMs)) tally.add(id, found, 1)
  }
  totals.addTallies(tally.days.values())
}

export function newTally({ calendarOf, span }: Pick<ChainQuestion, 'calendarOf' | 'span'>): SlotTally {
  return new SlotTally(calendarOf, span)
}
