import { ObjectId } from 'mongodb'
import { kwhFromMws } from '../../metering/index.js'
import { exactOf, toDecimal } from '../exact-decimal.js'
import type { PricingContext } from '../tariffs/pricing-context.js'
import type { SlotCalendar } from '../tariffs/slot-calendar.js'
import type { DayTotals } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import { Figures, figuresOf, shownCost, shownTotals, storedTotals } from './figures.js'
import type { MonthlyAggregate, SwitchMonth } from './monthly-aggregate.js'

interface SwitchTotal {
  readonly figures: Figures
  /** Consumption by hour of the day, whole milliwatt-seconds. */
  readonly hours: number[]
}

interface DayTotal {
  energyMws: number
  productionMws: number
  cost: bigint
}

type HourEnergies = DayTotals['switch_breakdown'][number]['slots']

/** Month tally: what the days of a device's month in a classroom come to. */
export class MonthTally {
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  /** `YYYY-MM`. */
  readonly month: string
  readonly switches = new Map<string, SwitchTotal>()
  readonly days = new Map<number, DayTotal>()

  constructor(deviceId: ObjectId, classroom: ObjectId, month: string) {
    this.deviceId = deviceId
    this.classroom = classroom
    this.month = month
  }

  /** Puts a day in the context of what was added as it before. */
  replaceDay({ before, after }: DocumentChange<DayTotals, DayTotals>, { calendar }: PricingContext): void {
    const slotsBefore = new Map(before?.switch_breakdown.map((one) => [one.switch_id.toHexString(), one.slots]))
    if (before !== undefined) this.#addTotals(before, -1)
    if (after !== undefined) this.#addTotals(after, 1)
    const startMs = (after ?? before)?.starts_at.getTime() ?? 0
    for (const one of after?.switch_breakdown ?? []) {
      const id = one.switch_id.toHexString()
      this.#addHours(id, startMs, calendar, slotsBefore.get(id), one.slots)
      slotsBefore.delete(id)
    }
    for (const [id, slots] of slotsBefore) this.#addHours(id, startMs, calendar, slots, undefined)
  }

  #addTotals(day: DayTotals, sign: 1 | -1): void {
    for (const one of day.switch_breakdown) this.#switch(one.switch_id.toHexString()).figures.add(figuresOf(one), sign)
    const date = Number(day.date_string.slice(8))
    const known = this.days.get(date) ?? { energyMws: 0, productionMws: 0, cost: 0n }
    this.days.set(date, known)
    known.energyMws += sign * day.energy_mws
    known.productionMws += sign * day.production_mws
    known.cost += BigInt(sign) * exactOf(day.cost_exact)
  }

  /** Looks up only the hours that have changed. */
  #addHours(
    id: string,
    startMs: number,
    calendar: SlotCalendar,
    before: HourEnergies | undefined,
    after: HourEnergies | undefined,
  ): void {
    if (before === after) return
    const changes = new Map(after?.at_ms.map((at, n) => [at, after.energy_mws[n] ?? 0]))
    for (const [n, at] of before?.at_ms.entries() ?? [])
      changes.set(at, (changes.get(at) ?? 0) - (before?.energy_mws[n] ?? 0))
    const { hours } = this.#switch(id)
    for (const [at, energyMws] of changes) {
      if (energyMws === 0) continue
      const { hourOfDay } = calendar.slotAt(startMs + at)
      hours[hourOfDay] = (hours[hourOfDay] ?? 0) + energyMws
    }
  }

  #switch(id: string): SwitchTotal {
    const total = this.switches.get(id) ?? { figures: new Figures(), hours: new Array<number>(24).fill(0) }
    this.switches.set(id, total)
    return total
  }
}

/** What is in the document, as a tally. */
export function monthTallyOf({ device_id, classroom, month, switch_breakdown, days }: MonthlyAggregate): MonthTally {
  const tally = new MonthTally(device_id, classroom, month)
  for (const one of switch_breakdown) {
    tally.switches.set(one.switch_id.toHexString(), { figures: figuresOf(one), hours: [...one.hours_mws] })
  }
  for (const [n, day] of days.day.entries()) {
    tally.days.set(day, {
      energyMws: days.energy_mws[n] ?? 0,
      productionMws: days.production_mws[n] ?? 0,
      cost: days.cost_exact[n] === undefined ? 0n : exactOf(days.cost_exact[n]),
    })
  }
  return tally
}

/** The fields of a monthly document that follow from the tally and the tariff. */
export type MonthFields = Omit<MonthlyAggregate, '_id' | '__v' | 'createdAt' | 'updatedAt'>

/** @returns undefined if there is nothing in it. */
export function monthFields(tally: MonthTally, context: PricingContext): MonthFields | undefined {
  const { calendar, currency } = context
  const whole = new Figures()
  const switches: SwitchMonth[] = []
  for (const [id, { figures, hours }] of [...tally.switches].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (figures.isEmpty) continue
    whole.add(figures)
    switches.push({
      switch_id: ObjectId.createFromHexString(id),
      switch_name: context.switchOf(id).name,
      ...storedTotals(figures),
      energy_kwh: kwhFromMws(figures.numbers.energyMws),
      on_time_sec: figures.numbers.onMs / 1000,
      cost: shownCost(figures.cost, currency),
      hours_mws: hours,
    })
  }
  if (switches.length === 0) return undefined
  const hours = Array.from({ length: 24 }, (_, hour) => hour)
  return {
    device_id: tally.deviceId,
    esp32_name: context.deviceName,
    classroom: tally.classroom,
    time_zone: calendar.timeZone,
    tariff: context.tariff,
    month: tally.month,
    ...storedTotals(whole),
    ...shownTotals(whole, currency),
    currency,
    cost_versions: calendar.versionsOf(tally.month),
    switch_count: switches.filter(({ energy_mws, production_mws }) => energy_mws !== 0 || production_mws !== 0).length,
    hours_mws: hours.map((hour) => switches.reduce((sum, { hours_mws }) => sum + (hours_mws[hour] ?? 0), 0)),
    hours_switches: hours.map((hour) => switches.filter(({ hours_mws }) => (hours_mws[hour] ?? 0) !== 0).length),
    days: storedDays(tally.days),
    switch_breakdown: switches,
  }
}

function storedDays(days: MonthTally['days']): MonthlyAggregate['days'] {
  const filled = [...days]
    .filter(([, { energyMws, productionMws, cost }]) => energyMws !== 0 || productionMws !== 0 || cost !== 0n)
    .sort(([a], [b]) => a - b)
  return {
    day: filled.map(([day]) => day),
    energy_mws: filled.map(([, { energyMws }]) => energyMws),
    production_mws: filled.map(([, { productionMws }]) => productionMws),
    cost_exact: filled.map(([, { cost }]) => toDecimal(cost)),
  }
}
