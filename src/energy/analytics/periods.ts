import { addDays } from '../days.js'
import type { ParsedDays } from './questions.js'

/** ISO weekday: Monday 1 to Sunday 7. */
export function weekdayOf(day: string): number {
  return new Date(day).getUTCDay() || 7
}

export function lastDayOfMonth(month: string): string {
  return addDays(addDays(`${month}-01`, 31).slice(0, 8).concat('01'), -1)
}

/** The month that the range is, from its first day to its last; undefined if it is another range. */
export function wholeMonth({ from, to }: Pick<ParsedDays, 'from' | 'to'>): string | undefined {
  const month = from.slice(0, 7)
  return from === `${month}-01` && to === lastDayOfMonth(month) ? month : undefined
}

/** Whole months, and the days before and after them, which together are a range of days. */
export interface Cover {
  readonly months: { readonly from: string; readonly to: string } | undefined
  readonly days: readonly { readonly from: string; readonly to: string }[]
}

export function coverOf({ from, to }: Pick<ParsedDays, 'from' | 'to'>): Cover {
  const firstMonth = from.endsWith('-01') ? from.slice(0, 7) : addDays(lastDayOfMonth(from.slice(0, 7)), 1).slice(0, 7)
  const isWhole = to === lastDayOfMonth(to.slice(0, 7))
  const lastMonth = isWhole ? to.slice(0, 7) : addDays(`${to.slice(0, 7)}-01`, -1).slice(0, 7)
  if (firstMonth > lastMonth) return { months: undefined, days: [{ from, to }] }
  const days = []
  if (from < `${firstMonth}-01`) days.push({ from, to: addDays(`${firstMonth}-01`, -1) })
  if (to > lastDayOfMonth(lastMonth)) days.push({ from: addDays(lastDayOfMonth(lastMonth), 1), to })
  return { months: { from: firstMonth, to: lastMonth }, days }
}
