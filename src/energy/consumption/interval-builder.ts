import type { Fact } from '../../ledger/facts/fact.js'
import type { StretchQuality } from '../../metering/index.js'
import type { Slot } from '../tariffs/slot-calendar.js'
import { largestIntervalMws } from './device-consumption.js'
import type { IntervalPart } from './interval-parts.js'

/** The entries at which a stretch begins and ends. */
export interface EntryEnds {
  readonly first: number
  readonly last: number
}

/** Interval figures: what an interval comes to; times are epoch milliseconds, energies whole milliwatt-seconds. */
export interface IntervalFigures {
  readonly fromMs: number
  readonly toMs: number
  /** How long energy was consumed. */
  readonly onMs: number
  readonly consumedMws: number
  readonly producedMws: number
  readonly quality: StretchQuality
  readonly isRated: boolean
  readonly since: Fact
  readonly slot: Slot
  readonly entries: EntryEnds
}

/**
 * Joins adjacent parts of one slot, place and quality, in order. Of a rated switch each stretch in which it was on is an
 * interval of its own; of a metered one, readings of zero part nothing. What has no energy is no interval.
 */
export class IntervalBuilder {
  readonly intervals: IntervalFigures[] = []
  #open: IntervalFigures | undefined
  #isOn = false

  add({ stretch, since, slot }: IntervalPart, entries: EntryEnds): void {
    const { fromMs, toMs, consumedMws, producedMws, quality } = stretch
    const open = this.#open
    const isOn = since.source !== 'rated' || since.on === true
    const part: IntervalFigures = {
      fromMs,
      toMs,
      onMs: consumedMws === 0 ? 0 : toMs - fromMs,
      consumedMws,
      producedMws,
      quality,
      isRated: since.source === 'rated',
      since,
      slot,
      entries,
    }
    if (open === undefined || this.#isOn !== isOn || !goTogether(open, part)) this.end()
    this.#open = this.#open === undefined ? part : joined(this.#open, part)
    this.#isOn = isOn
  }

  /** No part that is still to come belongs to the interval under way. */
  end(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined && (open.consumedMws !== 0 || open.producedMws !== 0)) this.intervals.push(open)
  }
}

function goTogether(open: IntervalFigures, part: IntervalFigures): boolean {
  return (
    open.toMs === part.fromMs &&
    open.slot.startMs === part.slot.startMs &&
    open.slot.endMs === part.slot.endMs &&
    open.quality === part.quality &&
    open.isRated === part.isRated &&
    open.since.classroom.equals(part.since.classroom) &&
    open.since.deviceId.equals(part.since.deviceId) &&
    open.consumedMws + part.consumedMws <= largestIntervalMws
  )
}

function joined(open: IntervalFigures, part: IntervalFigures): IntervalFigures {
  return {
    ...open,
    toMs: part.toMs,
    onMs: open.onMs + part.onMs,
    consumedMws: open.consumedMws + part.consumedMws,
    producedMws: open.producedMws + part.producedMws,
    entries: { first: open.entries.first, last: part.entries.last },
  }
}
