import { taxedPrice } from './cost.js'
import { type TariffBand, type WeekOfPrices, weekOfPrices } from './tariff-week.js'
import { offsetsOf, type TimeZoneOffsets } from './time-zone.js'

/** A percentage of the price that is paid on top of it. */
export interface TariffTax {
  readonly name: string
  /** At most four decimals. */
  readonly percent: number
}

/** The prices of a tariff from an instant on, until its next version starts. */
export interface TariffVersion {
  readonly startsAt: Date
  /** Currency units per kWh, before taxes, at most six decimals; holds wherever no band does. */
  readonly pricePerKwh: number
  readonly bands?: readonly TariffBand[] | undefined
  readonly taxes?: readonly TariffTax[] | undefined
}

/** Price in force: what a kWh costs at an instant. */
export interface PriceInForce<Version extends TariffVersion> {
  readonly version: Version
  /** With taxes, rounded half-even to six decimals. */
  readonly pricePerKwh: number
}

/** The versions of one tariff, ready to be asked many times. */
export interface Tariff<Version extends TariffVersion> {
  /** The version in force at an instant (epoch milliseconds); undefined before the first. */
  versionAt(instantMs: number): Version | undefined
  /**
   * The price at an instant where clocks show the time of this zone; undefined before the first version.
   * @throws RangeError if the zone is not known.
   */
  priceAt(instantMs: number, timeZone: string): PriceInForce<Version> | undefined
  /**
   * The instants inside a stretch of time, ascending, at which another version starts or the price changes.
   * @throws RangeError if the zone is not known.
   */
  priceCutsBetween(fromMs: number, toMs: number, timeZone: string): number[]
}

interface Period<Version> {
  readonly startMs: number
  readonly version: Version
  readonly week: WeekOfPrices
}

/**
 * A tariff of versions, which may come in any order. The price of a version is made once: its own, or the band's, with the
 * taxes on it, rounded half-even to six decimals. A band holds whenever clocks show a time of it: twice in a repeated hour,
 * and not at all in one that is skipped.
 *
 * @throws RangeError if two versions start together, bands of one overlap, or a price cannot be kept exactly.
 */
export function tariffOf<Version extends TariffVersion>(versions: readonly Version[]): Tariff<Version> {
  const periods = versions.map(periodOf).sort((a, b) => a.startMs - b.startMs)
  if (periods.some(({ startMs }, index) => startMs === periods[index - 1]?.startMs)) {
    throw new RangeError('Two versions of the tariff start at one instant')
  }
  return { versionAt, priceAt, priceCutsBetween }

  function versionAt(instantMs: number): Version | undefined {
    return periods[indexAt(instantMs)]?.version
  }

  function priceAt(instantMs: number, timeZone: string): PriceInForce<Version> | undefined {
    const localMs = instantMs + offsetsOf(timeZone).offsetAt(instantMs)
    const period = periods[indexAt(instantMs)]
    return period && { version: period.version, pricePerKwh: period.week.priceAt(localMs) }
  }

  function priceCutsBetween(fromMs: number, toMs: number, timeZone: string): number[] {
    const zone = offsetsOf(timeZone)
    const cuts: number[] = []
    for (let index = indexAt(fromMs); index < periods.length; index += 1) {
      const startMs = periods[index]?.startMs ?? Number.NEGATIVE_INFINITY
      if (startMs >= toMs) break
      if (startMs > fromMs) cuts.push(startMs)
      const endMs = Math.min(toMs, periods[index + 1]?.startMs ?? toMs)
      const week = periods[index]?.week
      if (week !== undefined) cuts.push(...weekCuts(week, Math.max(startMs, fromMs), endMs, zone))
    }
    return cuts
  }

  /** The index of the period that an instant is in, -1 before the first. */
  function indexAt(instantMs: number): number {
    let low = 0
    let high = periods.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((periods[middle]?.startMs ?? 0) <= instantMs) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function periodOf<Version extends TariffVersion>(version: Version): Period<Version> {
  const { pricePerKwh, bands = [], taxes = [] } = version
  const percents = taxes.map(({ percent }) => percent)
  const taxed = (price: number) => taxedPrice(price, percents)
  const week = weekOfPrices(
    taxed(pricePerKwh),
    bands.map((band) => ({ ...band, pricePerKwh: taxed(band.pricePerKwh) })),
  )
  return { startMs: version.startsAt.getTime(), version, week }
}

/** The instants between two, both excluded, at which the price of a version changes. */
function weekCuts(week: WeekOfPrices, fromMs: number, toMs: number, zone: TimeZoneOffsets): number[] {
  if (week.nextChange(0) === Number.POSITIVE_INFINITY) return []
  const cuts: number[] = []
  let sinceMs = fromMs
  let offsetMs = zone.offsetAt(fromMs)
  const walkTo = (untilMs: number) => {
    for (let localMs = week.nextChange(sinceMs + offsetMs); localMs - offsetMs < untilMs; ) {
      cuts.push(localMs - offsetMs)
      localMs = week.nextChange(localMs)
    }
  }
  for (const change of zone.changesBetween(fromMs, toMs - 1)) {
    walkTo(change.atMs)
    if (week.priceAt(change.atMs + offsetMs - 1) !== week.priceAt(change.atMs + change.offsetMs)) cuts.push(change.atMs)
    sinceMs = change.atMs
    offsetMs = change.offsetMs
  }
  walkTo(toMs)
  return cuts
}
