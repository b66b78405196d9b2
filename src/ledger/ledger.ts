import type { Filter as DriverFilter, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { Reader, toObjectId } from '../core/repository/reader.js'
import { translateError } from '../core/translate-error.js'
import { validateData } from '../core/validate.js'
import type { Appended } from './append-call.js'
import { type LedgerEntry, type LedgerEvent, ledgerEventSchema } from './entry.js'
import { FactStore } from './fact-store.js'
import { ChainVerifier, type VerificationReport } from './verification.js'
import { LedgerWriter } from './writer.js'

const maximumEvents = 10_000
const eventsSchema = z.array(ledgerEventSchema).max(maximumEvents)

/** An event as it is handed in: ids may be hexadecimal, instants ISO 8601. */
export type LedgerEventInput = z.input<typeof ledgerEventSchema>

/** The energy ledger: append-only, one hash chain per switch. Entries can be read and appended; nothing changes them. */
export class Ledger extends Reader<LedgerEntry> {
  /** What the entries say about energy, in the order of time. */
  readonly facts: FactStore
  readonly #writer: LedgerWriter

  constructor(database: Database, entity: Entity<LedgerEntry>) {
    super(database, entity)
    this.facts = new FactStore(() => this.collection)
    this.#writer = new LedgerWriter({ database, collection: entity.collection })
  }

  /**
   * Appends events, at most 10,000 at a time, each to its switch's chain in the order given. Durable (majority, journaled)
   * when it resolves; an event whose idempotency key is known gives back the entry that is there. Safe from any number of
   * processes. Calls that are under way at once share their commits.
   * @throws ValidationError if one of them is not valid, and then none is appended; DatabaseConnectionError.
   */
  append(events: readonly LedgerEventInput[]): Promise<Appended[]> {
    return this.appendValid(validateData(eventsSchema, events, 'The ledger events'))
  }

  /** As {@link append}, for events that were built by the library itself. */
  async appendValid(events: readonly LedgerEvent[]): Promise<Appended[]> {
    try {
      return await this.#writer.append(events)
    } catch (error) {
      throw translateError(error)
    }
  }

  /** Verifies every chain: each entry's bytes against its hash, and each link. Reads everything, in the order of the chains. */
  verify(): Promise<VerificationReport> {
    return this.#verify({})
  }

  /** Verifies one switch's chain. */
  verifyChainIntegrity(deviceId: ObjectId | string, switchId: ObjectId | string): Promise<VerificationReport> {
    return this.#verify({ switchId: toObjectId(switchId), deviceId: toObjectId(deviceId) })
  }

  async #verify(filter: DriverFilter<LedgerEntry>): Promise<VerificationReport> {
    const verifier = new ChainVerifier()
    const cursor = this.collection.find(filter, { raw: true, sort: { switchId: 1, sequence: 1 }, batchSize: 5000 })
    try {
      while (await this.read('verify', () => cursor.hasNext())) {
        for (const stored of cursor.readBufferedDocuments()) verifier.take(stored as unknown as Buffer)
      }
    } finally {
      await cursor.close()
    }
    return verifier.report()
  }
}
