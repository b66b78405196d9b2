import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { inSession } from '../../core/repository/in-session.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import { lastEntries } from '../../ledger/last-entries.js'
import type { Ledger } from '../../ledger/ledger.js'
import { adjustmentsOf } from '../adjustments.js'
import { instantsOf } from '../day-range.js'
import { standing } from './chain-change.js'
import { type ChainProgress, progressTo } from './roll-up-cursor.js'
import { type CalendarOf, type DaySpan, type DayTally, SlotTally } from './slot-tally.js'

/** A chain as far as it is in the roll-ups. */
export interface CountedChain {
  readonly switchId: ObjectId
  readonly progress: ChainProgress
}

/** The chains of a device. */
export interface DeviceChains {
  readonly deviceId: ObjectId
  readonly chains: readonly CountedChain[]
}

/** Finds what days come to, from the ledger alone. */
export class LedgerDays {
  readonly #database: Database
  readonly #ledger: Ledger

  constructor(database: Database, ledger: Ledger) {
    this.#database = database
    this.#ledger = ledger
  }

  /** What the days of a span come to of some chains; reads the entries of the span, and few around it. */
  async of(
    chains: readonly CountedChain[],
    span: DaySpan,
    zones: readonly string[],
    calendarOf: CalendarOf,
  ): Promise<DayTally[]> {
    const tally = new SlotTally(calendarOf, span)
    const { fromMs, toMs } = instantsOf(span, zones)
    for (const { switchId, progress } of chains) {
      const id = switchId.toHexString()
      const meter = new SwitchMeter()
      for await (const page of this.#ledger.facts.from(switchId, fromMs, toMs, progress.through)) {
        for (const found of meter.take(page)) tally.add(id, found, 1)
        if (meter.settledMs >= toMs) break
      }
    }
    const throughOf = new Map(chains.map(({ switchId, progress }) => [switchId.toHexString(), progress.through]))
    const ids = chains.map(({ switchId }) => switchId)
    for (const adjusted of await adjustmentsOf(this.#database, this.#ledger, { fromMs, toMs }, ids)) {
      const id = adjusted.switchId.toHexString()
      if (adjusted.sequence > (throughOf.get(id) ?? 0)) continue
      tally.adjust(id, adjusted, adjusted.timestamp.getTime(), adjusted.adjustment)
    }
    return [...tally.days.values()]
  }

  /** How the meter of a chain stands as far as it is in the roll-ups, found anew. */
  async progressOf({ switchId, progress }: CountedChain): Promise<ChainProgress> {
    const meter = await standing(this.#ledger.facts, switchId, progress.through)
    return progressTo(progress, progress.through, meter)
  }

  /** The chains that the roll-ups have something of, by the device of each. */
  async chains(known: ReadonlyMap<string, ChainProgress>): Promise<DeviceChains[]> {
    const byDevice = new Map<string, { deviceId: ObjectId; chains: CountedChain[] }>()
    const { entity } = this.#ledger
    const heads = await this.#database.run(entity, 'chains', (session) =>
      lastEntries(this.#database.collectionOf<LedgerEntry>(entity), 'deviceId', inSession(session)),
    )
    for (const { switchId, deviceId } of heads) {
      const progress = known.get(switchId.toHexString())
      if (progress === undefined) continue
      const device = byDevice.get(deviceId.toHexString()) ?? { deviceId, chains: [] }
      device.chains.push({ switchId, progress })
      byDevice.set(deviceId.toHexString(), device)
    }
    return [...byDevice.values()]
  }
}
