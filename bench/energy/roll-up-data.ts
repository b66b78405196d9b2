import type { AutoVolt } from '@autovolt/data'
import { Decimal128, ObjectId } from 'mongodb'

/** A board of eight relays in one of fifty classrooms. */
export interface Board {
  readonly _id: ObjectId
  readonly classroom: ObjectId
  readonly name: string
  readonly switches: readonly ObjectId[]
}

const switchesOfBoard = 8

export function boards(switches: number): Board[] {
  const classrooms = Array.from({ length: 50 }, () => new ObjectId())
  return Array.from({ length: switches / switchesOfBoard }, (_, at) => ({
    _id: new ObjectId(),
    classroom: classrooms[at % classrooms.length] ?? new ObjectId(),
    name: `Relay box ${at}`,
    switches: Array.from({ length: switchesOfBoard }, () => new ObjectId()),
  }))
}

const month = (at: number) => `2026-${String(at + 1).padStart(2, '0')}`
const mwsPerHour = 3_600_000_000
/** The hours of a day in which switches are on; the queries that are measured read sums, not these. */
const hoursOn = [8, 9, 11, 14]

/** Writes what the updater would have: a document for each board and day, and for each board and month, of a year's first months. */
export async function writeRollUps(volt: AutoVolt, own: readonly Board[], months: number): Promise<void> {
  for (let at = 0; at < months; at += 1) {
    const days = new Date(Date.UTC(2026, at + 1, 0)).getUTCDate()
    for (let day = 1; day <= days; day += 1) {
      await insert(
        volt,
        'dailyAggregates',
        own.map((board) => dailyDocument(board, `${month(at)}-${String(day).padStart(2, '0')}`)),
      )
    }
    await insert(
      volt,
      'monthlyAggregates',
      own.map((board) => monthlyDocument(board, month(at), days)),
    )
  }
}

async function insert(volt: AutoVolt, key: 'dailyAggregates' | 'monthlyAggregates', documents: object[]) {
  await volt.database.collectionOf(volt.entityOf(key)).insertMany(documents as never)
}

const usedIn = (hours: number) => Math.floor(Math.random() * hours * mwsPerHour)
const exact = (energyMws: number, perKwh: number) =>
  Decimal128.fromString(String(BigInt(energyMws) * BigInt(perKwh) * 1_000_000n))

function totals(energyMws: number, hours: number) {
  return {
    energy_mws: energyMws,
    production_mws: 0,
    on_ms: hours * 3_600_000,
    measured_ms: hours * 3_600_000,
    estimated_ms: 0,
    missing_ms: 0,
    cost_exact: exact(energyMws, 7),
    earnings_exact: exact(0, 0),
    carbon_exact: exact(energyMws, 700),
  }
}

function common(board: Board, energyMws: number, hours: number) {
  return {
    device_id: board._id,
    esp32_name: board.name,
    classroom: board.classroom,
    time_zone: 'UTC',
    tariff: 'default',
    ...totals(energyMws, hours * switchesOfBoard),
    total_kwh: energyMws / mwsPerHour,
    production_kwh: 0,
    on_time_sec: hours * 3600 * switchesOfBoard,
    cost_at_calc_time: 7,
    cost_per_kwh_used: 7,
    currency: 'INR',
    cost_versions: [],
    switch_count: switchesOfBoard,
    quality_score: 100,
    confidence: 'high',
    createdAt: new Date(),
    updatedAt: new Date(),
    __v: 0,
  }
}

function switchTotals(switch_id: ObjectId, energyMws: number, hours: number) {
  const sums = totals(energyMws, hours)
  return {
    switch_id,
    switch_name: 'Fan',
    ...sums,
    energy_kwh: energyMws / mwsPerHour,
    on_time_sec: hours * 3600,
    cost: 7,
  }
}

function dailyDocument(board: Board, date: string) {
  const startsAt = new Date(`${date}T00:00:00Z`)
  const onMs = hoursOn.map(() => 3_600_000)
  return {
    ...common(board, usedIn(hoursOn.length * switchesOfBoard), hoursOn.length),
    date_string: date,
    starts_at: startsAt,
    ends_at: new Date(startsAt.getTime() + 86_400_000),
    switch_breakdown: board.switches.map((id) => ({
      ...switchTotals(id, usedIn(hoursOn.length), hoursOn.length),
      slots: {
        at_ms: hoursOn.map((hour) => hour * 3_600_000),
        energy_mws: hoursOn.map(() => usedIn(1)),
        on_ms: onMs,
        measured_ms: onMs,
      },
    })),
  }
}

function monthlyDocument(board: Board, ofMonth: string, days: number) {
  const hours = hoursOn.length * days
  const eachDay = Array.from({ length: days }, (_, at) => at + 1)
  const byHour = () => Array.from({ length: 24 }, () => usedIn(days))
  return {
    ...common(board, usedIn(hours * switchesOfBoard), hours),
    month: ofMonth,
    hours_mws: byHour(),
    hours_switches: Array.from({ length: 24 }, () => switchesOfBoard),
    days: {
      day: eachDay,
      energy_mws: eachDay.map(() => usedIn(hoursOn.length)),
      production_mws: eachDay.map(() => 0),
      cost_exact: eachDay.map(() => exact(usedIn(hoursOn.length), 7)),
    },
    switch_breakdown: board.switches.map((id) => ({ ...switchTotals(id, usedIn(hours), hours), hours_mws: byHour() })),
  }
}
