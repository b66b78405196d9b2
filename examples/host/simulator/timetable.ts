import type { LoadKind } from './load-curves.js'
import type { SwitchPlan } from './plan.js'
import type { Random } from './random.js'

/** What a switch did, or a meter read, on a day that is over. */
export interface PastEvent {
  /** Minutes after the day's midnight. */
  readonly minute: number
  readonly on: boolean
  /** W; where it is measured. Negative while it produces. */
  readonly powerW?: number
}

export interface PastDay {
  readonly isSchoolDay: boolean
  /** The share of the sky that is free of clouds. */
  readonly clearness: number
}

/** A day of a switch, in order: lessons for what is switched, a reading every hour for what is measured. */
export function pastDayOf(plan: SwitchPlan, day: PastDay, random: Random): PastEvent[] {
  const { load } = plan
  return load === undefined ? switchings(plan, day, random) : readings(load, day, random)
}

function switchings({ type }: SwitchPlan, { isSchoolDay }: PastDay, random: Random): PastEvent[] {
  if (!random.chance(isSchoolDay ? 0.93 : 0.12)) return []
  const lesson = (from: number, to: number): PastEvent[] => [
    { minute: Math.round(from + random.between(0, 25)), on: true },
    { minute: Math.round(to - random.between(0, 25)), on: false },
  ]
  if (!isSchoolDay) return lesson(10 * 60, 13 * 60)
  if (type === 'projector') return [...lesson(9 * 60, 10.5 * 60), ...lesson(14 * 60, 15.5 * 60)]
  const evening = type === 'light' && random.chance(0.3) ? lesson(18 * 60, 20 * 60) : []
  return [...lesson(8 * 60, 12.5 * 60), ...lesson(13.25 * 60, 17 * 60), ...evening]
}

function readings(load: LoadKind, day: PastDay, random: Random): PastEvent[] {
  return Array.from({ length: 24 }, (_, hour) => {
    const watts = meanPower[load](hour, day) * random.between(0.85, 1.15)
    return { minute: hour * 60, on: true, powerW: Math.round(watts) }
  })
}

const isWithin = (hour: number, from: number, to: number) => hour >= from && hour < to

/** W in an hour of the day, on the whole. */
const meanPower: Readonly<Record<LoadKind, (hour: number, day: PastDay) => number>> = {
  computers: (hour, { isSchoolDay }) => (isSchoolDay && isWithin(hour, 8, 17) ? 2_300 : 180),
  airConditioner: (hour, { isSchoolDay }) => (isSchoolDay && isWithin(hour, 10, 17) ? 1_150 : 15),
  kitchen: (hour, { isSchoolDay }) => (isSchoolDay && isWithin(hour, 10, 14) ? 2_100 : 95),
  sockets: (hour, { isSchoolDay }) => (isSchoolDay && isWithin(hour, 7, 18) ? 420 : 60),
  solar: (hour, { clearness }) => -3_200 * clearness * Math.max(0, Math.sin(((hour - 5.5) / 12.5) * Math.PI)),
}
