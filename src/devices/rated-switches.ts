import { isRecord } from '../core/is-record.js'

/** W by type of load. */
export type RatedPowers = ReadonlyMap<string, number>

/** The switches as they are given, those without a rating with that of their type; a type that has none takes 0 W. */
export function withRatings(switches: readonly unknown[], ratings: RatedPowers): unknown[] {
  return switches.map((one) => {
    if (!isRecord(one) || one.powerRating !== undefined) return one
    const powerRating = ratings.get(typeof one.type === 'string' ? one.type : 'light')
    return powerRating === undefined ? one : { ...one, powerRating }
  })
}

/** Whether a rating is left out. */
export function lacksRating(switches: readonly unknown[]): boolean {
  return switches.some((one) => isRecord(one) && one.powerRating === undefined)
}
