import type { Document, ObjectId } from 'mongodb'
import type { FactStretch } from '../../../ledger/facts/switch-meter.js'
import { civilDayOf, cutsBetween, type EnergyStretch, splitStretch } from '../../../metering/index.js'
import type { Rooms } from '../rooms.js'
import type { LegacyParts } from './legacy-backfill.js'
import { coveredByEntries, overlapping } from './legacy-choice.js'
import { LegacyLedger } from './legacy-ledger.js'
import { byDevice, devicesOf } from './legacy-pages.js'
import { isUnusable, type LegacyRecord, readLegacyRecord, type Unusable } from './legacy-record.js'
import { SwitchLedger } from './switch-ledger.js'

/**
 * Legacy total: what a switch has used on a civil day of its room, by the records that are in the ledger and by the
 * ledger.
 */
export interface LegacyTotal {
  readonly switchId: ObjectId
  /** `YYYY-MM-DD`. */
  readonly day: string
  /** W·s. */
  readonly recordsEnergyWs: number
  readonly ledgerEnergyWs: number
  /** Currency units; as the records say, and by the ledger's prices. */
  readonly recordsCost: number
  readonly ledgerCost: number
}

/** A record that is not in the ledger, and why. */
export interface LegacyLeft {
  readonly id: string
  readonly reason: string
}

/** Device totals: what was compared of a device. */
export interface DeviceTotals {
  readonly totals: readonly LegacyTotal[]
  readonly left: readonly LegacyLeft[]
  /** How many of its records are in the ledger. */
  readonly migrated: number
}

/** Compares records with the ledger, device by device, each switch and civil day. */
export async function* legacyTotals(parts: LegacyParts): AsyncGenerator<DeviceTotals, void, undefined> {
  const collection = parts.database.native.collection(parts.collection)
  const [rooms, stored] = [await parts.readRooms(), new LegacyLedger(parts.database, parts.ledger)]
  for await (const deviceId of devicesOf(collection)) {
    const device = new DeviceComparison(parts, rooms, stored)
    const records = collection.find({ deviceId }, { sort: { startTime: 1, _id: 1 }, hint: byDevice })
    await device.add(records)
    yield device.result()
  }
}

interface Sums {
  readonly switchId: ObjectId
  readonly day: string
  recordsMws: number
  ledgerMws: number
  recordsCost: number
  ledgerCost: number
}

class DeviceComparison {
  readonly #parts: LegacyParts
  readonly #rooms: Rooms
  readonly #stored: LegacyLedger
  readonly #sums = new Map<string, Sums>()
  readonly #ledgers = new Map<string, SwitchLedger>()
  readonly #left: LegacyLeft[] = []
  #migrated = 0

  constructor(parts: LegacyParts, rooms: Rooms, stored: LegacyLedger) {
    this.#parts = parts
    this.#rooms = rooms
    this.#stored = stored
  }

  async add(documents: AsyncIterable<Document>): Promise<void> {
    try {
      for await (const document of documents) await this.#addOne(readLegacyRecord(document, this.#rooms))
      for (const ledger of this.#ledgers.values()) await ledger.end()
    } finally {
      for (const ledger of this.#ledgers.values()) await ledger.close()
    }
  }

  result(): DeviceTotals {
    const totals = [...this.#sums.values()].map(
      ({ switchId, day, recordsMws, ledgerMws, recordsCost, ledgerCost }) => ({
        switchId,
        day,
        recordsEnergyWs: recordsMws / 1000,
        ledgerEnergyWs: ledgerMws / 1000,
        recordsCost,
        ledgerCost,
      }),
    )
    return { totals, left: this.#left, migrated: this.#migrated }
  }

  async #addOne(record: LegacyRecord | Unusable): Promise<void> {
    if (isUnusable(record)) this.#left.push(record)
    else if (await this.#ledgerOf(record).has(record)) this.#count(record)
    else this.#left.push({ id: record.id, reason: await this.#reasonOf(record) })
  }

  #ledgerOf({ switchId }: LegacyRecord): SwitchLedger {
    const key = switchId.toHexString()
    const { database, ledger } = this.#parts
    const known =
      this.#ledgers.get(key) ??
      new SwitchLedger(database, ledger, { switchId }, (found) => this.#countStretch(switchId, found))
    this.#ledgers.set(key, known)
    return known
  }

  #countStretch(switchId: ObjectId, { stretch, since }: FactStretch): void {
    for (const { day, mws } of this.#byDays(stretch, since.classroom)) {
      const sums = this.#sumsOf(switchId, day)
      sums.ledgerMws += mws
      sums.ledgerCost += (mws * since.ratePerKwh) / mwsPerKwh
    }
  }

  #count({ switchId, startMs, endMs, energyMws, cost, classroom }: LegacyRecord): void {
    this.#migrated += 1
    const stretch: EnergyStretch = {
      fromMs: startMs,
      toMs: endMs,
      consumedMws: energyMws,
      producedMws: 0,
      quality: 'measured',
    }
    for (const { day, mws, share } of this.#byDays(stretch, classroom)) {
      const sums = this.#sumsOf(switchId, day)
      sums.recordsMws += mws
      sums.recordsCost += cost * share
    }
  }

  async #reasonOf({ switchId, endMs }: LegacyRecord): Promise<string> {
    return endMs >= (await this.#stored.of(switchId)).othersFromMs ? coveredByEntries : overlapping
  }

  #byDays(stretch: EnergyStretch, classroom: ObjectId) {
    const { timeZone } = this.#rooms.placeOf(classroom)
    const parts = splitStretch(stretch, cutsBetween(stretch.fromMs, stretch.toMs, timeZone, 'day'))
    return parts.map(({ fromMs, toMs, consumedMws: mws }) => ({
      day: civilDayOf(fromMs, timeZone),
      mws,
      share: (toMs - fromMs) / (stretch.toMs - stretch.fromMs),
    }))
  }

  #sumsOf(switchId: ObjectId, day: string): Sums {
    const key = `${switchId.toHexString()} ${day}`
    const found = this.#sums.get(key) ?? { switchId, day, recordsMws: 0, ledgerMws: 0, recordsCost: 0, ledgerCost: 0 }
    this.#sums.set(key, found)
    return found
  }
}

const mwsPerKwh = 3.6e9
