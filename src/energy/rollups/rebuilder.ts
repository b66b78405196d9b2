import type { Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { retryStale } from '../../core/retry-on-conflict.js'
import type { Places } from '../places.js'
import { devicesOf, emptyLike } from './batch.js'
import type { DailyAggregate } from './daily-aggregate.js'
import { type DayFields, dayFields, tallyOf } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import type { DeviceChains, LedgerDays } from './from-ledger.js'
import { MonthTally, monthFields } from './month-document.js'
import {
  type DayChange,
  type DeviceMonth,
  dayKey,
  type MonthChange,
  monthKey,
  type RollUpBatch,
  type RollUpStore,
} from './rollup-store.js'
import { isSameRollUp } from './same.js'
import type { DaySpan, DayTally } from './slot-tally.js'

/** The days of some devices, and their months. */
export interface RollUpChanges {
  readonly days: readonly DayChange[]
  readonly months: readonly MonthChange[]
}

/** Makes roll-ups from the ledger alone. */
export class RollUpRebuilder {
  readonly #database: Database
  readonly #store: RollUpStore
  readonly #ledgerDays: LedgerDays

  constructor(database: Database, store: RollUpStore, ledgerDays: LedgerDays) {
    this.#database = database
    this.#store = store
    this.#ledgerDays = ledgerDays
  }

  /** The devices that roll-ups are of. */
  async devices(): Promise<DeviceChains[]> {
    return this.#ledgerDays.chains(await this.#store.cursors())
  }

  /** Writes the days of a device anew, and their months. @returns the documents that were not what they are now. */
  async rebuild(device: DeviceChains, span: DaySpan, places: Places): Promise<RollUpChanges> {
    let known: DeviceChains | undefined = device
    return retryStale(this.#database, async () => {
      const expected = await this.expected(known ?? (await this.#asItIsNow(device)), span, places)
      known = undefined
      const changes = { days: expected.days.filter(isChange), months: expected.months.filter(isChange) }
      await this.#store.write({ ...changes, cursors: expected.cursors })
      return changes
    })
  }

  /** What is not as the ledger has it. Looked at again where entries were added meanwhile. */
  async differences(device: DeviceChains, span: DaySpan, places: Places): Promise<RollUpChanges> {
    for (let chains = device; ; ) {
      const { days, months } = await this.expected(chains, span, places)
      const changes = { days: days.filter(isChange), months: months.filter(isChange) }
      if (changes.days.length === 0 && changes.months.length === 0) return changes
      const now = await this.#asItIsNow(chains)
      if (now.chains.every(({ through }, at) => through === chains.chains[at]?.through)) return changes
      chains = now
    }
  }

  /** What the days of a device, and their months, have to be by the entries that are in the roll-ups. */
  async expected(
    device: DeviceChains,
    span: DaySpan,
    places: Places,
  ): Promise<RollUpChanges & Pick<RollUpBatch, 'cursors'>> {
    const calendarOf = (classroom: ObjectId) => places.calendarOf(classroom)
    const tallies = await this.#ledgerDays.of(device, span, places.zones(), calendarOf)
    const devices = new Map([device.deviceId, ...devicesOf(tallies)].map((id) => [id.toHexString(), id]))
    await places.loadDevices([...devices.values()])
    // The months are made of all of their days.
    const wholeMonths = { from: `${span.from.slice(0, 7)}-01`, to: `${span.to.slice(0, 7)}-31` }
    const stored = await this.#store.daysOf([...devices.values()], wholeMonths)
    const isAnew = new Set(device.chains.map(({ switchId }) => switchId.toHexString()))
    const days = dayChanges(tallies, stored, span, isAnew, places)
    return {
      days,
      months: await this.#monthChanges(days, stored, places),
      cursors: device.chains.map(({ switchId, through }) => ({ switchId, from: through, to: through })),
    }
  }

  async #monthChanges(
    days: readonly DayChange[],
    stored: readonly DailyAggregate[],
    places: Places,
  ): Promise<MonthChange[]> {
    const after = new Map<string, DayFields | undefined>(stored.map((day) => [keyOf(day), day]))
    const tallies = new Map<string, MonthTally>()
    for (const change of days) {
      const day = change.after ?? change.before
      if (day === undefined) continue
      after.set(keyOf(day), change.after)
      const { deviceId, classroom, month } = monthOf(day)
      tallies.set(monthKey(monthOf(day)), new MonthTally(deviceId, classroom, month))
    }
    for (const day of after.values()) {
      if (day !== undefined)
        tallies
          .get(monthKey(monthOf(day)))
          ?.replaceDay({ before: undefined, after: day }, places.of(day.device_id, day.classroom))
    }
    const before = await this.#store.months([...tallies.values()])
    return [...tallies].map(([key, tally]) => ({
      before: before.get(key),
      after: monthFields(tally, places.of(tally.deviceId, tally.classroom)),
    }))
  }

  async #asItIsNow({ deviceId, chains }: DeviceChains): Promise<DeviceChains> {
    const through = await this.#store.cursors(chains.map(({ switchId }) => switchId))
    return {
      deviceId,
      chains: chains.map(({ switchId }) => ({ switchId, through: through.get(switchId.toHexString()) ?? 0 })),
    }
  }
}

function dayChanges(
  tallies: readonly DayTally[],
  stored: readonly DailyAggregate[],
  { from, to }: DaySpan,
  isAnew: ReadonlySet<string>,
  places: Places,
): DayChange[] {
  const inSpan = stored.filter(({ date_string: date }) => date >= from && date <= to)
  const before = new Map(inSpan.map((day) => [keyOf(day), day]))
  const found = new Map(tallies.map((tally) => [dayKey({ ...tally, date: tally.day.date }), tally] as const))
  return [...new Set([...before.keys(), ...found.keys()])].map((key) => {
    const [was, is] = [before.get(key), found.get(key)]
    const tally = was === undefined ? emptyLike(is as DayTally) : tallyOf(was)
    for (const id of isAnew) tally.switches.delete(id)
    for (const [id, one] of is?.switches ?? []) tally.switches.set(id, one)
    const day = is?.day ?? tally.day
    return { before: was, after: dayFields({ ...tally, day }, places.of(tally.deviceId, tally.classroom)) }
  })
}

function keyOf({ device_id, classroom, date_string }: DayFields): string {
  return dayKey({ deviceId: device_id, classroom, date: date_string })
}

function monthOf({ device_id, classroom, date_string }: DayFields): DeviceMonth {
  return { deviceId: device_id, classroom, month: date_string.slice(0, 7) }
}

/** Whether the document is to be another one; names are not looked at. */
function isChange({ before, after }: DocumentChange<Document, Document>): boolean {
  if (before === undefined || after === undefined) return before !== after
  return !isSameRollUp(before, after)
}
