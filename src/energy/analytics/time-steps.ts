import { type CivilSpan, civilSpans, cutsBetween, type EnergyStretch, splitStretch } from '../../metering/index.js'

/** Steps of time, in order. They follow each other, but for the time of other days between those of a day that is visited twice. */
export class TimeSteps {
  readonly #steps: readonly CivilSpan[]

  constructor(steps: readonly CivilSpan[]) {
    this.#steps = steps
  }

  get count(): number {
    return this.#steps.length
  }

  startOf(step: number): number {
    return this.#steps[step]?.fromMs ?? Number.NaN
  }

  lengthOf(step: number): number {
    const { fromMs, toMs } = this.#steps[step] ?? { fromMs: Number.NaN, toMs: Number.NaN }
    return toMs - fromMs
  }

  /** From the first step's start to the last one's end; undefined if there are none. */
  get span(): CivilSpan | undefined {
    const [first, last] = [this.#steps[0], this.#steps.at(-1)]
    return first && last && { fromMs: first.fromMs, toMs: last.toMs }
  }

  /** The step in which an instant lies. */
  stepAt(atMs: number): number | undefined {
    const step = this.#after(atMs) - 1
    return atMs < (this.#steps[step]?.toMs ?? Number.NEGATIVE_INFINITY) ? step : undefined
  }

  /** The parts of a stretch with the steps that they lie in; what lies outside of all is left out. */
  *partsOf(
    stretch: EnergyStretch,
  ): Generator<{ readonly step: number; readonly part: EnergyStretch }, void, undefined> {
    const cuts: number[] = []
    for (let at = Math.max(0, this.#after(stretch.fromMs) - 1); ; at += 1) {
      const step = this.#steps[at]
      if (step === undefined || step.fromMs >= stretch.toMs) break
      cuts.push(step.fromMs, step.toMs)
    }
    for (const part of splitStretch(stretch, cuts)) {
      const step = this.stepAt(part.fromMs)
      if (step !== undefined) yield { step, part }
    }
  }

  /** The index of the first step that starts after an instant. */
  #after(atMs: number): number {
    let low = 0
    let high = this.#steps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.startOf(middle) <= atMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The civil hours of some days of a zone, each cut into steps of so many minutes; undefined if there would be more than this many. */
export function stepsOf(
  days: { readonly from: string; readonly to: string },
  timeZone: string,
  minutes: number,
  most: number,
): TimeSteps | undefined {
  const stepMs = minutes * 60_000
  const spans = civilSpans(days, timeZone)
  const durationMs = spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  if (durationMs / stepMs > most) return undefined
  return new TimeSteps(
    spans.flatMap(({ fromMs, toMs }) => {
      const bounds = [fromMs, ...cutsBetween(fromMs, toMs, timeZone, 'hour'), toMs]
      return bounds.slice(1).flatMap((endMs, at) => stepsIn(bounds[at] ?? endMs, endMs, stepMs))
    }),
  )
}

function stepsIn(fromMs: number, toMs: number, stepMs: number): CivilSpan[] {
  return Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, step) => {
    const startMs = fromMs + step * stepMs
    return { fromMs: startMs, toMs: Math.min(startMs + stepMs, toMs) }
  })
}
