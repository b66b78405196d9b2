import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../core/database.js'
import { where } from '../core/repository/conditions.js'
import { inSession, type Reader } from '../core/repository/reader.js'
import { validateData } from '../core/validate.js'
import type { Classroom } from '../devices/classroom.js'
import type { Device } from '../devices/device.js'
import { chainHeads } from '../ledger/chain-heads.js'
import type { LedgerEntry } from '../ledger/entry/entry.js'
import { type FactStretch, SwitchMeter } from '../ledger/facts/switch-meter.js'
import type { Ledger } from '../ledger/ledger.js'
import {
  civilDayOf,
  currencyDigits,
  cutsBetween,
  nextCivilDay,
  splitStretch,
  startOfCivilDay,
} from '../metering/index.js'
import { DailyTotals, type DayTotal } from './daily-totals.js'
import type { EnergyFigures } from './energy-total.js'
import { switchStretches, type TimeRange } from './switch-energy.js'
import type { PowerSettings } from './tariffs/power-settings.js'

/** Civil days, both included, `YYYY-MM-DD`, at most 366. */
export const dayRangeSchema = z
  .strictObject({ from: z.iso.date(), to: z.iso.date() })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'expected a day not before the first' })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) < 366 * 86_400_000, {
    path: ['to'],
    error: 'expected at most 366 days',
  })
export type DayRange = z.input<typeof dayRangeSchema>

interface Daily extends EnergyFigures {
  /** The civil day in the classroom's time zone. */
  readonly day: string
  /** ISO 4217; null where no price was set. */
  readonly currency: string | null
}

/** What a classroom used on a day. */
export interface ClassroomDay extends Daily {
  readonly classroom: ObjectId
}

/** What a switch used on a day. */
export interface SwitchDay extends Daily {
  readonly switchId: ObjectId
}

/** What a classroom draws now. */
export interface LivePower {
  readonly classroom: ObjectId
  readonly powerW: number
  readonly switchesOn: number
}

export interface EnergyParts {
  readonly ledger: Ledger
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
  readonly powerSettings: Reader<PowerSettings>
}

/**
 * Energy and cost, from the ledger by the energy rules, in the civil days of each classroom's time zone. Reads the entries
 * of the days that are asked for: the work grows with them, not with the ledger.
 */
export class EnergyService {
  readonly #database: Database
  readonly #parts: EnergyParts

  constructor(database: Database, parts: EnergyParts) {
    this.#database = database
    this.#parts = parts
  }

  /** Energy and cost per classroom and day, by day. @throws ValidationError. */
  async dailyByClassroom(range: DayRange): Promise<ClassroomDay[]> {
    const rows = await this.#daily(range, (classroom) => classroom)
    return rows.map(({ key, ...row }) => ({ ...row, classroom: key }))
  }

  /** Energy and cost per switch and day, by day. @throws ValidationError. */
  async dailyBySwitch(range: DayRange): Promise<SwitchDay[]> {
    const rows = await this.#daily(range, (_, switchId) => switchId)
    return rows.map(({ key, ...row }) => ({ ...row, switchId: key }))
  }

  /** What each classroom draws now: measured power that still holds, and the rating of what is on and heard of. */
  async livePower(): Promise<LivePower[]> {
    const nowMs = this.#database.clock.now().getTime()
    const byClassroom = new Map<string, { classroom: ObjectId; powerW: number; switchesOn: number }>()
    for await (const device of this.#parts.devices.stream()) {
      const key = device.classroom.toHexString()
      const total = byClassroom.get(key) ?? { classroom: device.classroom, powerW: 0, switchesOn: 0 }
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
    const latest = await this.#parts.ledger.facts.latest(_id)
    if (latest === undefined) return undefined
    const isRated = latest.energySource === 'rated'
    const heardMs = Math.max(latest.timestamp.getTime(), isRated ? (lastSignOfLifeAt?.getTime() ?? 0) : 0)
    if (nowMs - heardMs > latest.gapLimitMs) return undefined
    if (!isRated) return latest.reading?.powerW
    return latest.powerState ? latest.powerRating : undefined
  }

  async #daily(range: DayRange, keyOf: KeyOf): Promise<(Daily & { key: ObjectId })[]> {
    const { from, to } = validateData(dayRangeSchema, range, 'The days')
    const zones = await this.#zones()
    const zoneOf = (classroom: ObjectId) => zones.get(classroom.toHexString()) ?? 'UTC'
    const instants = rangeOf(from, to, [...new Set(['UTC', ...zones.values()])])
    const totals = new DailyTotals({ from, to })
    const signsOfLife = await this.#signsOfLife()
    for (const switchId of await this.#switchIds()) {
      const meter = new SwitchMeter()
      const lastSignOfLifeMs = signsOfLife.get(switchId.toHexString())
      const { facts } = this.#parts.ledger
      for await (const found of switchStretches(facts, switchId, instants, lastSignOfLifeMs, meter)) {
        const { since } = found
        const key = keyOf(since.classroom, switchId)
        for (const { day, stretch } of byDay(found, zoneOf(since.classroom))) {
          totals.of(day, key)?.add(stretch, since.ratePerKwh)
        }
      }
      const { last } = meter
      if (meter.isPending && last !== undefined) {
        totals.of(civilDayOf(last.atMs, zoneOf(last.classroom)), keyOf(last.classroom, switchId))?.wait()
      }
    }
    for await (const { switchId, classroom, timestamp, adjustment } of this.#adjustments(instants)) {
      const day = civilDayOf(timestamp.getTime(), zoneOf(classroom))
      if (adjustment !== undefined) totals.of(day, keyOf(classroom, switchId))?.adjust(adjustment)
    }
    return this.#rows(totals.rows)
  }

  /** What was adjusted by hand. */
  #adjustments({ fromMs, toMs }: TimeRange): AsyncIterable<LedgerEntry> {
    const ofRange = where.and<LedgerEntry>(
      { eventType: 'manual_adjustment', timestamp: where.gte(new Date(fromMs)) },
      { timestamp: where.lt(new Date(toMs)) },
    )
    return this.#parts.ledger.stream(ofRange)
  }

  async #rows(totals: readonly DayTotal[]): Promise<(Daily & { key: ObjectId })[]> {
    const settings = await this.#parts.powerSettings.findOne({ name: 'default' })
    const currency = settings?.currency ?? null
    const digits = currency === null ? 2 : currencyDigits(currency)
    return totals
      .map(({ day, key, total }) => ({ day, key, currency, ...total.figures(digits) }))
      .sort((a, b) => (a.day === b.day ? (a.key.toHexString() < b.key.toHexString() ? -1 : 1) : a.day < b.day ? -1 : 1))
  }

  /** The switches that the ledger knows: those that are no longer part of a device have used their energy all the same. */
  async #switchIds(): Promise<ObjectId[]> {
    const { entity } = this.#parts.ledger
    const chains = await this.#database.run(entity, 'energy', (session) =>
      chainHeads(this.#database.collectionOf<LedgerEntry>(entity), 'sequence', inSession(session)),
    )
    return chains.map(({ switchId }) => switchId)
  }

  /** When the device of each switch was last heard of, epoch milliseconds. */
  async #signsOfLife(): Promise<Map<string, number>> {
    const signs = new Map<string, number>()
    for await (const { switches, lastSignOfLifeAt } of this.#parts.devices.stream({}, { withDeleted: true })) {
      if (lastSignOfLifeAt === undefined) continue
      for (const { _id } of switches) signs.set(_id.toHexString(), lastSignOfLifeAt.getTime())
    }
    return signs
  }

  async #zones(): Promise<Map<string, string>> {
    const zones = new Map<string, string>()
    for await (const { _id, timeZone } of this.#parts.classrooms.stream(
      {},
      { withDeleted: true, select: ['timeZone'] },
    )) {
      zones.set(_id.toHexString(), timeZone)
    }
    return zones
  }
}

/** What energy is added up by: a classroom or a switch. */
type KeyOf = (classroom: ObjectId, switchId: ObjectId) => ObjectId

/** The instants that the days span in any of the zones. */
function rangeOf(from: string, to: string, zones: readonly string[]): { fromMs: number; toMs: number } {
  return {
    fromMs: Math.min(...zones.map((zone) => startOfCivilDay(from, zone))),
    toMs: Math.max(...zones.map((zone) => startOfCivilDay(nextCivilDay(to, zone), zone))),
  }
}

/** The parts of a stretch, each within one civil day. */
function byDay({ stretch }: FactStretch, timeZone: string) {
  const parts = splitStretch(stretch, cutsBetween(stretch.fromMs, stretch.toMs, timeZone, 'day'))
  return parts.map((part) => ({ day: civilDayOf(part.fromMs, timeZone), stretch: part }))
}
