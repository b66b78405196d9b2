import type { Pricing } from '../tariffs/pricing-context.js'
import type { DailyAggregate } from './daily-aggregate.js'
import type { DayFields } from './day-document.js'

type DayCuts = Pick<
  DailyAggregate,
  'calendar_digest' | 'time_zone' | 'date_string' | 'starts_at' | 'ends_at' | 'price_cuts_ms' | 'currency'
>

/**
 * Whether a stored day is the civil day that it is now, in the same time zone, and all of its slots are its own: no worker
 * that knew another zone, or other changes of price, has added to it.
 */
export function isThisDay(
  day: Omit<DayCuts, 'currency' | 'price_cuts_ms'>,
  { calendar }: Pick<Pricing, 'calendar'>,
): boolean {
  if (day.calendar_digest === undefined || day.time_zone !== calendar.timeZone) return false
  const { startMs, endMs } = calendar.dayOf(day.date_string)
  return day.starts_at.getTime() === startMs && day.ends_at.getTime() === endMs
}

/** Whether its slots are cut where prices change now, so that its cost now follows from them. */
export function canBePriced(day: DayCuts, context: Pricing): boolean {
  const { price_cuts_ms = [], date_string } = day
  // The rates of entries are not kept under a tariff.
  if (!isThisDay(day, context) || (context.currency === null && day.currency !== null)) return false
  const cuts = context.calendar.priceCutsOf(context.calendar.dayOf(date_string))
  return cuts.length === price_cuts_ms.length && cuts.every((cut, at) => cut === price_cuts_ms[at])
}

/**
 * A day that was added to. Where its slots were cut otherwise before, it says how those were and has no digest: it is to be
 * built anew.
 */
export function addedTo(before: DayCuts, after: DayFields, context: Pricing): DayFields {
  if (canBePriced(before, context)) return after
  const { price_cuts_ms: cuts, calendar_digest: digest, ...rest } = after
  const { price_cuts_ms, time_zone } = before
  return { ...rest, time_zone, ...(price_cuts_ms !== undefined && { price_cuts_ms }) }
}
