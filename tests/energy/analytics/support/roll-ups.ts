import { Decimal128, ObjectId } from 'mongodb'
import {
  civilDayOf,
  civilHourStart,
  costOf,
  endOfCivilDay,
  hourOfDay,
  nextCivilHour,
  startOfCivilDay,
} from '../../../../src/metering/index.js'
import type { TestDatabase } from '../../../support/database.js'

/** A device with one switch in a classroom. */
export interface Site {
  readonly device: ObjectId
  readonly name: string
  readonly classroom: ObjectId
  readonly switchId: ObjectId
  readonly timeZone: string
  /** Null where no tariff is in force. */
  readonly currency: string | null
  readonly pricePerKwh: number
}

export function aRollUpSite(overrides: Partial<Site> = {}): Site {
  return {
    device: new ObjectId(),
    name: 'Relay box',
    classroom: new ObjectId(),
    switchId: new ObjectId(),
    timeZone: 'UTC',
    currency: 'EUR',
    pricePerKwh: 0.3,
    ...overrides,
  }
}

/** What a switch used in the civil hour that an instant is in. */
export interface Use {
  readonly site: Site
  readonly at: string
  readonly energyMws: number
  readonly productionMws?: number
  /** The whole hour if left out. */
  readonly onMs?: number
}

export const kWh = 3_600_000_000

export function used(site: Site, at: string, kwh: number, more: Partial<Use> = {}): Use {
  return { site, at, energyMws: Math.round(kwh * kWh), ...more }
}

/** One use in each hour of a civil day. */
export function allDay(site: Site, day: string, kwhAt: (hour: number) => number): Use[] {
  const uses: Use[] = []
  const endMs = endOfCivilDay(day, site.timeZone)
  let atMs = startOfCivilDay(day, site.timeZone)
  for (; atMs < endMs; atMs = nextCivilHour(atMs, site.timeZone)) {
    const energyMws = Math.round(kwhAt(hourOfDay(atMs, site.timeZone)) * kWh)
    uses.push({ site, at: new Date(atMs).toISOString(), energyMws })
  }
  return uses
}

/** Writes the daily and monthly roll-ups that the uses come to; each day and month of a site once. */
export async function writeRollUps({ db }: TestDatabase, uses: readonly Use[]): Promise<void> {
  const dayOf = ({ site, at }: Use) => civilDayOf(Date.parse(at), site.timeZone)
  const keyOf = ({ site }: Use) => `${site.device.toHexString()} ${site.classroom.toHexString()}`
  const daily = grouped(uses, (use) => `${keyOf(use)} ${dayOf(use)}`).map((group) =>
    dayDocument(group, dayOf(group[0]!)),
  )
  const monthly = grouped(uses, (use) => `${keyOf(use)} ${dayOf(use).slice(0, 7)}`).map((group) =>
    monthDocument(group, dayOf),
  )
  if (daily.length > 0) await db.collection('daily_aggregates').insertMany(daily)
  if (monthly.length > 0) await db.collection('monthly_aggregates').insertMany(monthly)
}

function dayDocument(uses: readonly Use[], day: string) {
  const { timeZone } = uses[0]!.site
  const startMs = startOfCivilDay(day, timeZone)
  const endMs = endOfCivilDay(day, timeZone)
  return {
    ...document(uses),
    date_string: day,
    starts_at: new Date(startMs),
    ends_at: new Date(endMs),
    switch_breakdown: grouped(uses, ofSwitch).map((own) => ({ ...switchPart(own), slots: slotsOf(own, startMs) })),
  }
}

function monthDocument(uses: readonly Use[], dayOf: (use: Use) => string) {
  const hours = (own: readonly Use[]) =>
    Array.from({ length: 24 }, (_, hour) =>
      sum(
        own.filter((use) => localHour(use) === hour),
        energyOf,
      ),
    )
  const bySwitch = grouped(uses, ofSwitch)
  const days = grouped(uses, dayOf).sort((a, b) => (dayOf(a[0]!) < dayOf(b[0]!) ? -1 : 1))
  return {
    ...document(uses),
    month: dayOf(uses[0]!).slice(0, 7),
    hours_mws: hours(uses),
    hours_switches: Array.from(
      { length: 24 },
      (_, hour) => bySwitch.filter((own) => own.some((use) => localHour(use) === hour && use.energyMws !== 0)).length,
    ),
    days: {
      day: days.map((own) => Number(dayOf(own[0]!).slice(8))),
      energy_mws: days.map((own) => sum(own, energyOf)),
      production_mws: days.map((own) => sum(own, productionOf)),
      cost_exact: days.map((own) => totals(own).cost_exact),
    },
    switch_breakdown: bySwitch.map((own) => ({ ...switchPart(own), hours_mws: hours(own) })),
  }
}

/** What days and months have in common. */
function document(uses: readonly Use[]) {
  const { site } = uses[0]!
  const figures = totals(uses)
  return {
    _id: new ObjectId(),
    createdAt: new Date(0),
    updatedAt: new Date(0),
    __v: 0,
    device_id: site.device,
    esp32_name: site.name,
    classroom: site.classroom,
    time_zone: site.timeZone,
    tariff: 'default',
    ...figures,
    total_kwh: figures.energy_mws / kWh,
    production_kwh: figures.production_mws / kWh,
    on_time_sec: figures.on_ms / 1000,
    cost_at_calc_time: (figures.energy_mws / kWh) * site.pricePerKwh,
    cost_per_kwh_used: site.currency === null ? null : site.pricePerKwh,
    currency: site.currency,
    cost_versions: [],
    switch_count: grouped(uses, ofSwitch).filter((own) => sum(own, energyOf) !== 0 || sum(own, productionOf) !== 0)
      .length,
    quality_score: 100,
    confidence: 'high',
  }
}

function switchPart(uses: readonly Use[]) {
  const { site } = uses[0]!
  const figures = totals(uses)
  return {
    switch_id: site.switchId,
    switch_name: 'Heater',
    ...figures,
    energy_kwh: figures.energy_mws / kWh,
    on_time_sec: figures.on_ms / 1000,
    cost: (figures.energy_mws / kWh) * site.pricePerKwh,
  }
}

function slotsOf(uses: readonly Use[], dayStartMs: number) {
  const slots = [...uses].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  const produces = slots.some((use) => productionOf(use) > 0)
  return {
    at_ms: slots.map(({ site, at }) => civilHourStart(Date.parse(at), site.timeZone) - dayStartMs),
    energy_mws: slots.map(energyOf),
    ...(produces && { production_mws: slots.map(productionOf) }),
    on_ms: slots.map(onMs),
    measured_ms: slots.map(onMs),
  }
}

function totals(uses: readonly Use[]) {
  const { pricePerKwh, currency } = uses[0]!.site
  const energy_mws = sum(uses, energyOf)
  const production_mws = sum(uses, productionOf)
  const priced = (mws: number, price: number) =>
    Decimal128.fromString(String(currency === null ? 0 : costOf(mws, price).numerator))
  return {
    energy_mws,
    production_mws,
    on_ms: sum(uses, onMs),
    measured_ms: sum(uses, onMs),
    estimated_ms: 0,
    missing_ms: 0,
    cost_exact: priced(energy_mws, pricePerKwh),
    earnings_exact: priced(production_mws, 0.08),
    carbon_exact: priced(energy_mws, 400),
  }
}

const energyOf = (use: Use) => use.energyMws
const productionOf = (use: Use) => use.productionMws ?? 0
const onMs = (use: Use) => use.onMs ?? 3_600_000
const ofSwitch = (use: Use) => use.site.switchId.toHexString()
const localHour = (use: Use) => hourOfDay(Date.parse(use.at), use.site.timeZone)

function sum(uses: readonly Use[], numberOf: (use: Use) => number): number {
  return uses.reduce((total, use) => total + numberOf(use), 0)
}

function grouped(uses: readonly Use[], keyOf: (use: Use) => string): Use[][] {
  const groups = new Map<string, Use[]>()
  for (const use of uses) groups.set(keyOf(use), [...(groups.get(keyOf(use)) ?? []), use])
  return [...groups.values()]
}
