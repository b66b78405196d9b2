import { cutsBetween, type EnergyStretch, nextCivilDay, splitStretch, startOfCivilDay } from '../../metering/index.js'

/** Steps of time between bounds, epoch milliseconds, ascending. */
export class TimeSteps {
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  get count(): number {
    return this.#bounds.length - 1
  }

  startOf(step: number): number {
    return this.#bounds[step] ?? Number.NaN
  }

  lengthOf(step: number): number {
    return this.startOf(step + 1) - this.startOf(step)
  }

  /** The step in which an instant lies. */
  stepAt(atMs: number): number | undefined {
    const step = this.#after(atMs) - 1
    return step >= 0 && step < this.count ? step : undefined
  }

  /** The parts of a stretch with the steps that they lie in; what lies outside of all is left out. */
  *partsOf(
    stretch: EnergyStretch,
  ): Generator<{ readonly step: number; readonly part: EnergyStretch }, void, undefined> {
    const first = this.#after(stretch.fromMs)
    const cuts: number[] = []
    for (let at = first; (this.#bounds[at] ?? Number.POSITIVE_INFINITY) < stretch.toMs; at += 1) {
      cuts.push(this.#bounds[at] as number)
    }
    for (const part of splitStretch(stretch, cuts)) {
      const step = this.stepAt(part.fromMs)
      if (step !== undefined) yield { step, part }
    }
  }

  /** The index of the first bound after an instant. */
  #after(atMs: number): number {
    let low = 0
    let high = this.#bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#bounds[middle] as number) <= atMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The instants that some civil days of a zone span. */
export function spanOfDays({ from, to }: { readonly from: string; readonly to: string }, timeZone: string) {
  return { fromMs: startOfCivilDay(from, timeZone), toMs: startOfCivilDay(nextCivilDay(to, timeZone), timeZone) }
}

/** Civil hours of a zone, each cut into steps of so many minutes; undefined if there would be more than this many. */
export function stepsBetween(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  timeZone: string,
  minutes: number,
  most: number,
): TimeSteps | undefined {
  const stepMs = minutes * 60_000
  if ((toMs - fromMs) / stepMs > most) return undefined
  const hours = [fromMs, ...cutsBetween(fromMs, toMs, timeZone, 'hour'), toMs]
  const bounds = hours.flatMap((hourMs, at) => {
    const endMs = hours[at + 1]
    if (endMs === undefined) return [hourMs]
    return Array.from({ length: Math.ceil((endMs - hourMs) / stepMs) }, (_, step) => hourMs + step * stepMs)
  })
  return new TimeSteps(bounds)
}
