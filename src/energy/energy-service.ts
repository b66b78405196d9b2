import type { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import { validateData } from '../core/validate.js'
import type { Device } from '../devices/device.js'
import { SwitchMeter } from '../ledger/facts/switch-meter.js'
import { DailyEnergy, type DailyEnergyParts } from './daily/daily-energy.js'
import type { DailyKey, DayTotal } from './daily/daily-totals.js'
import type { EnergyFigures } from './daily/energy-total.js'
import { type DayRange, dayRangeSchema } from './day-range.js'

interface Daily extends EnergyFigures {
  /** The civil day in the classroom's time zone. */
  readonly day: string
  /** ISO 4217; null where the classroom's tariff has no version: the cost is by the rates of the entries then. */
  readonly currency: string | null
}

/** Classroom day: what a classroom used on a day. */
export interface ClassroomDay extends Daily {
  readonly classroom: ObjectId
}

/** Switch day: what a switch used on a day. */
export interface SwitchDay extends Daily {
  readonly switchId: ObjectId
}

/** Live power: what a classroom draws now. */
export interface LivePower {
  readonly classroom: ObjectId
  readonly powerW: number
  readonly switchesOn: number
}

/**
 * Energy and cost as of now by the energy rules, in the civil days of each classroom's time zone and under its tariff: what
 * the ledger says to the last entry, and what rated switches that are still on have taken. It takes the roll-ups for what
 * they cover: then the work grows with devices times days and with the switches, else with the entries that are not covered.
 */
export class EnergyService {
  readonly #database: Database
  readonly #parts: DailyEnergyParts
  readonly #dailyEnergy: DailyEnergy

  constructor(database: Database, parts: DailyEnergyParts) {
    this.#database = database
    this.#parts = parts
    this.#dailyEnergy = new DailyEnergy(database, parts)
  }

  /** Energy and cost per classroom and day, by day. @throws ValidationError; DatabaseError `ARCHIVED` for days that neither roll-ups nor the ledger know. */
  async dailyByClassroom(range: DayRange): Promise<ClassroomDay[]> {
    const rows = await this.#daily(range, 'classroom')
    return rows.map(({ key, ...row }) => ({ ...row, classroom: key }))
  }

  /** Energy and cost per switch and day, by day; a row for each currency. Throws as {@link dailyByClassroom} does. */
  async dailyBySwitch(range: DayRange): Promise<SwitchDay[]> {
    const rows = await this.#daily(range, 'switch')
    return rows.map(({ key, ...row }) => ({ ...row, switchId: key }))
  }

  /** What each classroom draws now: measured power that still holds, and the rating of what is on and still reports. */
  async livePower(): Promise<LivePower[]> {
    const nowMs = this.#database.clock.now().getTime()
    const byClassroom = new Map<string, { classroom: ObjectId; powerW: number; switchesOn: number }>()
    for await (const device of this.#parts.devices.stream()) {
      const { classroom } = device
      if (classroom === undefined) continue
      const key = classroom.toHexString()
      const total = byClassroom.get(key) ?? { classroom, powerW: 0, switchesOn: 0 }
      byClassroom.set(key, total)
      const powers = await Promise.all(
        device.switches.map((one) => this.#powerNow(one, device.lastSignOfLifeAt, nowMs)),
      )
      for (const powerW of powers) {
        if (powerW === undefined) continue
        total.powerW += powerW
        if (powerW !== 0) total.switchesOn += 1
      }
    }
    return [...byClassroom.values()]
  }

  /** W; undefined if the switch is off, or what it draws is not known. */
  async #powerNow(
    { _id }: Device['switches'][number],
    lastSignOfLifeAt: Date | undefined,
    nowMs: number,
  ): Promise<number | undefined> {
    const { facts } = this.#parts.ledger
    const latest = await facts.latest(_id)
    if (latest === undefined) return undefined
    const isRated = latest.energySource === 'rated'
    const aliveMs = Math.max(latest.timestamp.getTime(), isRated ? (lastSignOfLifeAt?.getTime() ?? 0) : 0)
    if (nowMs - aliveMs > latest.gapLimitMs) return undefined
    if (!isRated) return latest.reading?.powerW
    const meter = new SwitchMeter()
    meter.take((await facts.newest(_id)).facts)
    return meter.held?.on ? meter.held.ratedPowerW : undefined
  }

  async #daily(range: DayRange, by: DailyKey): Promise<(Daily & { key: ObjectId })[]> {
    const span = validateData(dayRangeSchema, range, 'The days')
    const totals = await this.#dailyEnergy.totals(span, by)
    return inOrder(totals.rows).map(rowOf)
  }
}

function rowOf({ day, key, currency, total }: DayTotal): Daily & { readonly key: ObjectId } {
  return { day, key, currency, ...total.figures(currency) }
}

/** By day, then by key and currency. */
function inOrder(rows: readonly DayTotal[]): DayTotal[] {
  const keyed = rows.map((row) => ({ row, key: `${row.day} ${row.key.toHexString()} ${row.currency ?? ''}` }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row)
}
