import type { ObjectId } from 'mongodb'
import { civilDayOf, nextDayChange, splitStretch } from '../../../metering/index.js'
import type { Rates } from '../rates.js'

/** Energy and cost of a switch on a civil day. */
export interface DayEnergy {
  mws: number
  /** Currency units, not rounded. */
  cost: number
}

export interface DayStretch {
  readonly fromMs: number
  readonly toMs: number
  readonly energyMws: number
}

export interface DayParts {
  readonly timeZone: string
  readonly rates: Rates
  readonly tariff: string
}

/** Device days: what the switches of a device have used, by civil day and at the prices in force. */
export class DeviceDays {
  readonly #parts: DayParts
  readonly #bySwitch = new Map<string, Map<string, DayEnergy>>()
  readonly #byDay = new Map<string, number>()

  constructor(parts: DayParts) {
    this.#parts = parts
  }

  /** Splits it at midnights and where the price changes. */
  add(switchId: ObjectId, { fromMs, toMs, energyMws }: DayStretch): void {
    const { timeZone, rates, tariff } = this.#parts
    const stretch = { fromMs, toMs, consumedMws: energyMws, producedMws: 0, quality: 'measured' as const }
    for (const part of splitStretch(stretch, [...rates.startsOf(tariff), ...midnights(fromMs, toMs, timeZone)])) {
      const day = civilDayOf(part.fromMs, timeZone)
      const ofDay = this.#of(switchId, day)
      ofDay.mws += part.consumedMws
      ofDay.cost += (part.consumedMws * rates.at(tariff, part.fromMs)) / 3.6e9
      this.#byDay.set(day, (this.#byDay.get(day) ?? 0) + part.consumedMws)
    }
  }

  /** Whether anything is known of the switches on a day, be it that nothing was used. */
  has(day: string): boolean {
    return this.#byDay.has(day)
  }

  /** mW·s */
  mwsOf(day: string): number {
    return this.#byDay.get(day) ?? 0
  }

  get days(): ReadonlyMap<string, number> {
    return this.#byDay
  }

  ofSwitch(switchId: ObjectId): ReadonlyMap<string, DayEnergy> {
    return this.#bySwitch.get(switchId.toHexString()) ?? new Map()
  }

  #of(switchId: ObjectId, day: string): DayEnergy {
    const key = switchId.toHexString()
    const days = this.#bySwitch.get(key) ?? new Map<string, DayEnergy>()
    this.#bySwitch.set(key, days)
    const found = days.get(day) ?? { mws: 0, cost: 0 }
    days.set(day, found)
    return found
  }
}

function midnights(fromMs: number, toMs: number, timeZone: string): number[] {
  const found: number[] = []
  for (let atMs = nextDayChange(fromMs, timeZone); atMs < toMs; atMs = nextDayChange(atMs, timeZone)) found.push(atMs)
  return found
}
