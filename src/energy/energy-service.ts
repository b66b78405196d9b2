import type { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import { inSession, type Reader } from '../core/repository/reader.js'
import { validateData } from '../core/validate.js'
import type { Classroom } from '../devices/classroom.js'
import type { Device } from '../devices/device.js'
import { chainHeads } from '../ledger/chain-heads.js'
import type { LedgerEntry } from '../ledger/entry/entry.js'
import { type FactStretch, SwitchMeter } from '../ledger/facts/switch-meter.js'
import type { Ledger } from '../ledger/ledger.js'
import { adjustmentsOf } from './adjustments.js'
import { DailyTotals, type DayTotal } from './daily-totals.js'
import { type DayRange, dayRangeSchema, instantsOf } from './day-range.js'
import type { EnergyFigures } from './energy-total.js'
import { Places } from './places.js'
import { switchStretches } from './switch-energy.js'
import type { PriceBookReader } from './tariffs/price-book.js'
import { slotPartsOf } from './tariffs/slot-parts.js'

interface Daily extends EnergyFigures {
  /** The civil day in the classroom's time zone. */
  readonly day: string
  /** ISO 4217; null where the classroom's tariff has no version: the cost is by the rates of the entries then. */
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
  readonly prices: PriceBookReader
}

/**
 * Energy and cost as of now, from the ledger by the energy rules, in the civil days of each classroom's time zone and under
 * its tariff: what roll-ups come to once they are up to date, and beside it what rated switches that are still on have taken.
 * Reads the entries of the days that are asked for: the work grows with them, not with the ledger.
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

  /** Energy and cost per switch and day, by day; a row for each currency. @throws ValidationError. */
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
    const { ledger, prices } = this.#parts
    const places = await Places.withAllClassrooms(this.#parts, await prices.read())
    const instants = instantsOf({ from, to }, places.zones())
    const totals = new DailyTotals({ from, to })
    const signsOfLife = await this.#signsOfLife()
    for (const switchId of await this.#switchIds()) {
      const meter = new SwitchMeter()
      const lastSignOfLifeMs = signsOfLife.get(switchId.toHexString())
      for await (const found of switchStretches(ledger.facts, switchId, instants, lastSignOfLifeMs, meter)) {
        addTo(totals, keyOf(found.since.classroom, switchId), found, places)
      }
      const { last } = meter
      if (meter.isPending && last !== undefined) {
        const { date } = places.calendarOf(last.classroom).dayAt(last.atMs)
        totals.of(date, keyOf(last.classroom, switchId), places.currencyOf(last.classroom))?.wait()
      }
    }
    const adjusted = await adjustmentsOf(this.#database, ledger, instants)
    for (const { switchId, classroom, timestamp, adjustment } of adjusted) {
      const { date } = places.calendarOf(classroom).dayAt(timestamp.getTime())
      totals.of(date, keyOf(classroom, switchId), places.currencyOf(classroom))?.adjust(adjustment)
    }
    return totals.rows.map(rowOf).sort(inOrder)
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
}

/** What energy is added up by: a classroom or a switch. */
type KeyOf = (classroom: ObjectId, switchId: ObjectId) => ObjectId

/** Adds the parts of a stretch, each within one civil day and at one price. */
function addTo(totals: DailyTotals, key: ObjectId, { stretch, since }: FactStretch, places: Places): void {
  const currency = places.currencyOf(since.classroom)
  for (const { stretch: part, slot } of slotPartsOf(stretch, places.calendarOf(since.classroom))) {
    const pricePerKwh = currency === null ? since.ratePerKwh : (slot.price?.pricePerKwh ?? 0)
    totals.of(slot.day.date, key, currency)?.add(part, pricePerKwh)
  }
}

function rowOf({ day, key, currency, total }: DayTotal): Daily & { readonly key: ObjectId } {
  return { day, key, currency, ...total.figures(currency) }
}

function inOrder(a: Daily & { readonly key: ObjectId }, b: typeof a): number {
  return sortKey(a) < sortKey(b) ? -1 : 1
}

function sortKey({ day, key, currency }: Daily & { readonly key: ObjectId }): string {
  return `${day} ${key.toHexString()} ${currency ?? ''}`
}
