import type { Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { retryStale } from '../../core/retry-on-conflict.js'
import type { Ledger } from '../../ledger/ledger.js'
import { addDays } from '../days.js'
import type { PricingContext, PricingContexts } from '../tariffs/pricing-context.js'
import { sortedIds } from '../tariffs/slot-calendar.js'
import { whileUnarchived } from '../while-unarchived.js'
import { isSameRollUp } from './compare-roll-ups.js'
import type { DailyAggregate } from './daily-aggregate.js'
import { addedTo, isThisDay } from './day-cuts.js'
import { type DayFields, dayFields, tallyOf } from './day-document.js'
import type { DocumentChange } from './document-change.js'
import { type CountedChain, type DeviceChains, LedgerDays } from './from-ledger.js'
import { MonthTally, monthFields } from './month-document.js'
import { devicesOf, emptyLike } from './roll-up-batch.js'
import { noProgress } from './roll-up-cursor.js'
import {
  type DayChange,
  type DeviceMonth,
  dayKey,
  type MonthChange,
  monthKey,
  type RollUpStore,
} from './roll-up-store.js'
import type { DaySpan, DayTally } from './slot-tally.js'

/** The days of some devices, and their months. */
export interface RollUpChanges {
  readonly days: readonly DayChange[]
  readonly months: readonly MonthChange[]
}

/** What documents have to be, and the chains that they were made from. */
interface Expected extends RollUpChanges {
  readonly chains: readonly CountedChain[]
}

/** Makes roll-ups from the ledger alone. */
export class RollUpRebuilder {
  readonly #database: Database
  readonly #store: RollUpStore
  readonly #ledger: Ledger
  readonly #ledgerDays: LedgerDays

  constructor(database: Database, store: RollUpStore, ledger: Ledger) {
    this.#database = database
    this.#store = store
    this.#ledger = ledger
    this.#ledgerDays = new LedgerDays(database, ledger)
  }

  /** The devices that roll-ups are of. */
  async devices(): Promise<DeviceChains[]> {
    return this.#ledgerDays.chains(await this.#store.progress())
  }

  /** Writes the days of a device anew, and their months. @returns the documents that were not what they are now. */
  async rebuild(device: DeviceChains, span: DaySpan, contexts: PricingContexts): Promise<RollUpChanges> {
    let known: DeviceChains | undefined = device
    return retryStale(this.#database, async () => {
      const { days, months, chains } = await this.#expected(known ?? (await this.#asItIsNow(device)), span, contexts)
      known = undefined
      const changes = { days: days.filter(isChange), months: months.filter(isChange) }
      const cursors = await Promise.all(
        chains.map(async (chain) => ({
          switchId: chain.switchId,
          from: chain.progress.through,
          to: await this.#ledgerDays.progressOf(chain),
        })),
      )
      await this.#store.write({ ...changes, cursors })
      return changes
    })
  }

  /** What is not as the ledger has it. Looked at again where entries were added meanwhile. */
  async differences(device: DeviceChains, span: DaySpan, contexts: PricingContexts): Promise<RollUpChanges> {
    for (let now = device; ; ) {
      const { days, months, chains } = await retryStale(this.#database, () => this.#expected(now, span, contexts))
      const changes = { days: days.filter(isChange), months: months.filter(isChange) }
      if (changes.days.length === 0 && changes.months.length === 0) return changes
      const after = await this.#asItIsNow({ ...device, chains })
      if (after.chains.every(({ progress }, at) => progress.through === chains[at]?.progress.through)) return changes
      now = after
    }
  }

  /**
   * What the days of a device, and their months, have to be by the entries that are in the roll-ups.
   * @throws StaleReadError if entries are archived while they are read.
   */
  #expected(device: DeviceChains, span: DaySpan, contexts: PricingContexts): Promise<Expected> {
    return whileUnarchived(this.#database, this.#ledger, async () => {
      const expected = await this.#expectedIn(device, span, contexts)
      if (expected.days.every(({ before }) => before === undefined || isThisDay(before, contextOf(before, contexts))))
        return expected
      // What is in a day of another time zone belongs to the days beside it too.
      return this.#expectedIn(device, { from: addDays(span.from, -2), to: addDays(span.to, 2) }, contexts)
    })
  }

  async #expectedIn(device: DeviceChains, span: DaySpan, contexts: PricingContexts): Promise<Expected> {
    const chains = [...device.chains, ...(await this.#guestsOf(device, span))]
    const calendarOf = (classroom: ObjectId) => contexts.calendarOf(classroom)
    const tallies = await this.#ledgerDays.of(chains, span, contexts.zones(), calendarOf)
    const devices = new Map([device.deviceId, ...devicesOf(tallies)].map((id) => [id.toHexString(), id]))
    await contexts.loadDevices([...devices.values()])
    // The months are made of all of their days.
    const wholeMonths = { from: `${span.from.slice(0, 7)}-01`, to: `${span.to.slice(0, 7)}-31` }
    const stored = await this.#store.daysOf([...devices.values()], wholeMonths)
    const isAnew = new Set(chains.map(({ switchId }) => switchId.toHexString()))
    const days = dayChanges(tallies, stored, span, isAnew, contexts)
    return { days, months: await this.#monthChanges(days, stored, contexts), chains }
  }

  /** The chains of switches that have days of the device and are another device's now. */
  async #guestsOf({ deviceId, chains }: DeviceChains, span: DaySpan): Promise<CountedChain[]> {
    const own = new Set(chains.map(({ switchId }) => switchId.toHexString()))
    const days = await this.#store.daysOf([deviceId], span)
    const ids = days.flatMap(({ switch_breakdown }) => switch_breakdown.map(({ switch_id }) => switch_id))
    const guests = sortedIds(ids).filter((id) => !own.has(id.toHexString()))
    if (guests.length === 0) return []
    const progress = await this.#store.progress(guests)
    return guests.flatMap((switchId) => {
      const found = progress.get(switchId.toHexString())
      return found === undefined ? [] : { switchId, progress: found }
    })
  }

  async #monthChanges(
    days: readonly DayChange[],
    stored: readonly DailyAggregate[],
    contexts: PricingContexts,
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
          ?.replaceDay({ before: undefined, after: day }, contexts.of(day.device_id, day.classroom))
    }
    const before = await this.#store.months([...tallies.values()])
    return [...tallies].map(([key, tally]) => ({
      before: before.get(key),
      after: monthFields(tally, contexts.of(tally.deviceId, tally.classroom)),
    }))
  }

  async #asItIsNow({ deviceId, chains }: DeviceChains): Promise<DeviceChains> {
    const progress = await this.#store.progress(chains.map(({ switchId }) => switchId))
    return {
      deviceId,
      chains: chains.map(({ switchId }) => ({
        switchId,
        progress: progress.get(switchId.toHexString()) ?? noProgress,
      })),
    }
  }
}

function dayChanges(
  tallies: readonly DayTally[],
  stored: readonly DailyAggregate[],
  { from, to }: DaySpan,
  isAnew: ReadonlySet<string>,
  contexts: PricingContexts,
): DayChange[] {
  const inSpan = stored.filter(({ date_string: date }) => date >= from && date <= to)
  const before = new Map(inSpan.map((day) => [keyOf(day), day]))
  const found = new Map(tallies.map((tally) => [dayKey({ ...tally, date: tally.day.date }), tally] as const))
  return [...new Set([...before.keys(), ...found.keys()])].map((key) => {
    const [was, is] = [before.get(key), found.get(key)]
    const tally = was === undefined ? emptyLike(is as DayTally) : tallyOf(was)
    for (const id of isAnew) tally.switches.delete(id)
    const isAllAnew = tally.switches.size === 0
    for (const [id, one] of is?.switches ?? []) tally.switches.set(id, one)
    const day = is?.day ?? tally.day
    const context = contexts.of(tally.deviceId, tally.classroom)
    const after = dayFields({ ...tally, day }, context)
    return { before: was, after: isAllAnew || !was || !after ? after : addedTo(was, after, context) }
  })
}

function contextOf({ device_id, classroom }: DayFields, contexts: PricingContexts): PricingContext {
  return contexts.of(device_id, classroom)
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
