import type { Database } from '../../../core/database.js'
import type { PriceBook, PriceBookReader } from '../../../energy/tariffs/price-book.js'
import type { Ledger } from '../../../ledger/ledger.js'
import type { CursorBackfill, MigrationContext } from '../../migration.js'
import type { Rooms } from '../rooms.js'
import { choose, type SwitchEnds } from './legacy-choice.js'
import { LegacyLedger } from './legacy-ledger.js'
import { nextRecords } from './legacy-pages.js'
import { eventsOf, type LegacyRecord } from './legacy-record.js'

export interface LegacyParts {
  readonly database: Database
  readonly ledger: Ledger
  readonly prices: PriceBookReader
  /** The collection with the records. */
  readonly collection: string
  readonly readRooms: () => Promise<Rooms>
}

/** Where the next page begins, and what of the device is in the ledger by then. */
interface Checkpoint {
  readonly deviceId: unknown
  readonly startTime: Date
  readonly id: unknown
  readonly ends: SwitchEnds
}

/** Records of one page; the ledger takes 10,000 events at a time. */
const pageSize = 4_000

/**
 * The backfill that appends records to the ledger, two entries each. They are appended before the checkpoint is written: what
 * is appended again after a crash is known by its key. So a process that has lost the migration lock can only append what the
 * next one appends too.
 */
export function legacyBackfill(parts: LegacyParts): CursorBackfill {
  const { database, collection } = parts
  const runs = new WeakMap<MigrationContext, Promise<Run>>()
  const runOf = (context: MigrationContext) => {
    const run = runs.get(context) ?? startRun(parts)
    runs.set(context, run)
    return run
  }
  return {
    collection,
    batchSize: pageSize,
    cursor: {
      next: async (after, limit, context) => {
        const place = after as Checkpoint | undefined
        const documents = await nextRecords(database.native.collection(collection), place, limit)
        const last = documents?.at(-1)
        if (documents === null || last === undefined) return null
        const isSameDevice = place !== undefined && String(place.deviceId) === String(last.deviceId)
        const { rooms, stored } = await runOf(context)
        const { chosen, ends } = await choose(documents, isSameDevice ? place.ends : {}, rooms, stored)
        const checkpoint: Checkpoint = {
          deviceId: last.deviceId,
          startTime: last.startTime,
          id: last._id,
          ends,
        }
        return { documents: chosen, checkpoint }
      },
      count: () => database.native.collection(collection).estimatedDocumentCount(),
    },
    batch: async (documents, context) => {
      const { rooms, prices } = await runOf(context)
      const events = (documents as readonly LegacyRecord[]).flatMap((record) => {
        const rate = record.ratePerKwh ?? prices.priceAt(rooms.placeOf(record.classroom), record.startMs)
        return eventsOf(record, rate ?? 0)
      })
      await database.transactions.outside(() => parts.ledger.appendValid(events))
      return undefined
    },
  }
}

/** What a run reads once. */
interface Run {
  readonly rooms: Rooms
  readonly prices: PriceBook
  readonly stored: LegacyLedger
}

async function startRun({ database, ledger, prices, readRooms }: LegacyParts): Promise<Run> {
  return database.transactions.outside(async () => ({
    rooms: await readRooms(),
    prices: await prices.read(),
    stored: new LegacyLedger(database, ledger),
  }))
}
