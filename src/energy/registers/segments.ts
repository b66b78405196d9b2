import type { Fact } from '../../ledger/facts/fact.js'
import { partTheirNeighbours } from '../../ledger/facts/fact-run.js'
import { type FactStretch, SwitchMeter } from '../../ledger/facts/switch-meter.js'
import { splitStretch } from '../../metering/index.js'
import { quarterMs, quarterOf, quartersWithin } from '../register-marks/quarter-hours.js'
import type { TimeRange } from '../switch-energy.js'
import { longestReachMs } from './known-facts.js'

/** The time that one register is for, and what a switch used in it. */
export interface Segment {
  readonly startMs: number
  readonly endMs: number
  /** Whole mW·s; what was consumed less what was produced. */
  energyMws: number
  /** Whether anything is known of its energy. */
  isKnown: boolean
  isEstimated: boolean
  /** The fact whose classroom and device are the segment's. */
  since: Fact | undefined
}

/** Whether the ledger has the fact itself: a register begins anew there, for the fact ends the one before it. */
function isRecorded({ entrySequence }: Fact): boolean {
  return entrySequence !== undefined
}

/**
 * How far what is measured in a time reaches: back to the reading whose energy it decides about, on to the one that is
 * decided about with it. Whole segments.
 */
export function reachOf(facts: readonly Fact[], { fromMs, toMs }: TimeRange): TimeRange {
  return { fromMs: startOf(facts, fromMs), toMs: endOf(facts, toMs) }
}

function startOf(facts: readonly Fact[], fromMs: number): number {
  const meter = new SwitchMeter()
  meter.take(facts.filter(({ atMs }) => atMs < fromMs))
  const { settledMs } = meter
  if (fromMs - settledMs > longestReachMs) return fromMs
  const cut = facts.findLast((fact) => isRecorded(fact) && fact.atMs <= settledMs)?.atMs ?? Number.NEGATIVE_INFINITY
  return Math.max(cut, quarterOf(settledMs))
}

function endOf(facts: readonly Fact[], toMs: number): number {
  const after = facts.filter(({ atMs }) => atMs >= toMs && atMs - toMs <= longestReachMs)
  const last = decidedAfter(after).at(-1)
  if (last === undefined) return toMs
  const quarterEndMs = quarterOf(last.atMs + quarterMs - 1)
  const isGoneOnFrom = (fact: Fact) => isRecorded(fact) && fact.atMs >= last.atMs
  if (!after.some((fact) => isGoneOnFrom(fact) && fact.atMs < quarterEndMs)) return quarterEndMs
  const zeroPoints = zeroPointsOf(facts)
  const cut = after.find((fact) => isGoneOnFrom(fact) && zeroPoints.has(fact.atMs))?.atMs
  return cut ?? quarterOf((after.at(-1) ?? last).atMs + quarterMs - 1)
}

/**
 * The instants at which a meter that begins with what is said there comes to the same as one that knows all before: those of
 * powers, and of counts that were accepted as they are.
 */
function zeroPointsOf(facts: readonly Fact[]): ReadonlySet<number> {
  const meter = new SwitchMeter()
  const instants = new Set<number>()
  for (const whole of byInstant(facts)) {
    const atMs = whole[0]?.atMs ?? 0
    const isCounted = meter
      .take(whole)
      .some(({ stretch }) => stretch.toMs === atMs && stretch.consumedMws + stretch.producedMws > 0)
    if (whole.at(-1)?.counter === undefined || (isCounted && !meter.isPending)) instants.add(atMs)
  }
  return instants
}

function* byInstant(facts: readonly Fact[]): Generator<readonly Fact[], void, undefined> {
  for (let start = 0; start < facts.length; ) {
    let end = start + 1
    while (end < facts.length && facts[end]?.atMs === facts[start]?.atMs) end += 1
    yield facts.slice(start, end)
    start = end
  }
}

/** The first facts, as many as it takes to part what is before them from what comes after. */
function decidedAfter(facts: readonly Fact[]): readonly Fact[] {
  for (let count = 1; count < facts.length; count *= 2) {
    const lastMs = facts[count - 1]?.atMs
    const whole = facts.filter(({ atMs }, index) => index < count || atMs === lastMs)
    if (partTheirNeighbours(whole)) return whole
  }
  return facts
}

/** What the switch used in each segment of the span, whose ends are ends of segments. */
export function segmentsOf(facts: readonly Fact[], { fromMs, toMs }: TimeRange): Segment[] {
  const recordedMs = [...new Set(facts.filter(isRecorded).map(({ atMs }) => atMs))]
  const cuts = [fromMs, ...quartersWithin(fromMs, toMs), ...recordedMs.filter((at) => at > fromMs && at < toMs), toMs]
  const bounds = [...new Set(cuts)].sort((a, b) => a - b)
  const segments = bounds.slice(0, -1).map((startMs, index) => emptySegment(startMs, bounds[index + 1] ?? toMs))
  let at = 0
  for (const { part, since } of partsOf(new SwitchMeter().take(facts), recordedMs)) {
    if (part.fromMs < fromMs || part.fromMs >= toMs) continue
    while (part.fromMs >= (segments[at]?.endMs ?? toMs)) at += 1
    while (part.fromMs < (segments[at]?.startMs ?? fromMs)) at -= 1
    const segment = segments[at]
    if (segment === undefined) continue
    segment.energyMws += part.consumedMws - part.producedMws
    segment.isKnown = true
    segment.isEstimated ||= part.quality === 'estimated'
    segment.since ??= since
  }
  return segments
}

/** The stretches in which something is known, cut once at all of their cuts: whatever of them is asked for, the parts are the same. */
function* partsOf(stretches: readonly FactStretch[], recordedMs: readonly number[]) {
  for (const { stretch, since } of stretches) {
    const durationMs = stretch.toMs - stretch.fromMs
    if (stretch.quality === 'missing' || durationMs === 0 || durationMs > longestReachMs) continue
    for (const part of splitStretch(stretch, [...quartersWithin(stretch.fromMs, stretch.toMs), ...recordedMs]))
      yield { part, since }
  }
}

function emptySegment(startMs: number, endMs: number): Segment {
  return { startMs, endMs, energyMws: 0, isKnown: false, isEstimated: false, since: undefined }
}
