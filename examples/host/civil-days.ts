import { timeZone } from './simulator/school-plan.js'

const dayMs = 86_400_000
/** In the first days of a month the one before it is worth more. */
const settlingInMs = 7 * dayMs
const formatter = new Intl.DateTimeFormat('en-CA', { timeZone })

/** The day that it is at the school, as `YYYY-MM-DD`. */
export function civilDay(at: Date): string {
  return formatter.format(at)
}

/** The day before that. */
export function yesterday(at: Date): string {
  return civilDay(new Date(at.getTime() - dayMs))
}

/** When a day begins at the school: its clocks are never changed. */
export function instantOf(day: string): Date {
  return new Date(`${day}T00:00:00+05:30`)
}

/** The days of the month that is shown, up to today. */
export function shownMonth(now: Date): { readonly from: string; readonly to: string } {
  const month = civilDay(new Date(now.getTime() - settlingInMs)).slice(0, 7)
  const from = `${month}-01`
  const [year = 0, number = 0] = month.split('-').map(Number)
  const last = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10)
  const [to = last] = [civilDay(now), last].toSorted()
  return { from, to }
}

/** All days from one to another, both included. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  for (let at = Date.parse(from); at <= Date.parse(to); at += dayMs) days.push(new Date(at).toISOString().slice(0, 10))
  return days
}
