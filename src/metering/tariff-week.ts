const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440
const WEEK_MINUTES = 7 * DAY_MINUTES
const WEEK_MS = WEEK_MINUTES * MINUTE_MS
/** From the start of an ISO week to the first instant of 1970, which was a Thursday. */
const EPOCH_IN_WEEK_MS = 3 * DAY_MINUTES * MINUTE_MS
const ALL_DAYS = [1, 2, 3, 4, 5, 6, 7]

/** Hours of the week that have a price of their own. */
export interface TariffBand {
  /** ISO weekdays, Monday 1 to Sunday 7, on which the band starts; all of them if left out. */
  readonly days?: readonly number[] | undefined
  /** Local time `HH:MM`, inclusive. */
  readonly from: string
  /** Local time `HH:MM`, exclusive: of the next day if it is not after `from`, so equal times are 24 hours. `24:00` is midnight. */
  readonly to: string
  /** Currency units per kWh, before taxes, at most six decimals. */
  readonly pricePerKwh: number
}

/** The prices of a week of local time: which holds when, and where one follows another. */
export interface WeekOfPrices {
  /** The price of a local time (milliseconds, as if the zone were UTC). */
  priceAt(localMs: number): number
  /** The first local time after another one at which another price starts; infinite where there is one price only. */
  nextChange(localMs: number): number
}

interface Span {
  readonly fromMinute: number
  readonly toMinute: number
  readonly price: number
}

interface Step {
  readonly atMs: number
  readonly price: number
}

/** Whether two of the bands hold at one time. */
export function bandsOverlap(bands: readonly TariffBand[]): boolean {
  const spans = spansOf(bands)
  return spans.some((span, index) => span.fromMinute < (spans[index - 1]?.toMinute ?? 0))
}

/**
 * The week of a base price and of the bands that take its place.
 *
 * @throws RangeError if bands overlap.
 */
export function weekOfPrices(basePrice: number, bands: readonly TariffBand[]): WeekOfPrices {
  if (bandsOverlap(bands)) throw new RangeError('Two bands of the tariff hold at one time')
  const steps = stepsOf(basePrice, spansOf(bands))
  const [only] = steps
  if (steps.length < 2) return { priceAt: () => only?.price ?? basePrice, nextChange: () => Number.POSITIVE_INFINITY }
  return {
    priceAt: (localMs) => at(steps, lastStep(steps, inWeek(localMs))).price,
    nextChange: (localMs) => {
      const weekMs = inWeek(localMs)
      const next = lastStep(steps, weekMs) + 1
      return localMs - weekMs + (next < steps.length ? at(steps, next).atMs : at(steps, 0).atMs + WEEK_MS)
    },
  }
}

/** The stretches of the week that the bands take, in order; one that goes past its end is in two parts. */
function spansOf(bands: readonly TariffBand[]): Span[] {
  const spans = bands.flatMap(({ days = ALL_DAYS, from, to, pricePerKwh: price }) => {
    const start = minutesOf(from)
    const length = ((minutesOf(to) - start + DAY_MINUTES - 1) % DAY_MINUTES) + 1
    return days.flatMap((day): Span[] => {
      const fromMinute = (day - 1) * DAY_MINUTES + start
      const toMinute = fromMinute + length
      if (toMinute <= WEEK_MINUTES) return [{ fromMinute, toMinute, price }]
      return [
        { fromMinute, toMinute: WEEK_MINUTES, price },
        { fromMinute: 0, toMinute: toMinute - WEEK_MINUTES, price },
      ]
    })
  })
  return spans.sort((a, b) => a.fromMinute - b.fromMinute)
}

/** Where prices change in the week: of neighbours with one price only the first is kept, round the week's end too. */
function stepsOf(basePrice: number, spans: readonly Span[]): Step[] {
  const all: Step[] = []
  let minute = 0
  const push = (atMinute: number, price: number) => all.push({ atMs: atMinute * MINUTE_MS, price })
  for (const { fromMinute, toMinute, price } of spans) {
    if (fromMinute > minute) push(minute, basePrice)
    push(fromMinute, price)
    minute = toMinute
  }
  if (minute < WEEK_MINUTES) push(minute, basePrice)
  const changes = all.filter(({ price }, index) => price !== at(all, (index || all.length) - 1).price)
  return changes.length === 0 ? all.slice(0, 1) : changes
}

/** The index of the step that holds at a time of the week; -1 before the first, where the last of the week before does. */
function lastStep(steps: readonly Step[], weekMs: number): number {
  let low = 0
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(steps, middle).atMs <= weekMs) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The step with this index, counted from the end if it is negative. */
function at(steps: readonly Step[], index: number): Step {
  const step = steps.at(index)
  if (step === undefined) throw new RangeError(`A week of prices has no step ${index}`)
  return step
}

/** How far into its week a local time is. */
function inWeek(localMs: number): number {
  const sinceMonday = (localMs + EPOCH_IN_WEEK_MS) % WEEK_MS
  return sinceMonday < 0 ? sinceMonday + WEEK_MS : sinceMonday
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':')
  return Number(hours) * 60 + Number(minutes)
}
