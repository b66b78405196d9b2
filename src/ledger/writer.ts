import { type ClientSession, type Collection, type Document, MongoBulkWriteError, MongoServerError } from 'mongodb'
import type { Database } from '../core/database.js'
import { translateError } from '../core/translate-error.js'
import { Chain, type Stores } from './chain.js'
import { ChainStore } from './chain-store.js'
import type { LedgerEntry, LedgerEvent } from './entry.js'
import { ledgerEntryEntity } from './entry.js'
import { FactStore } from './fact-store.js'
import { Lane, type Pending } from './lane.js'
import { toStoredEntry } from './stored-entry.js'

/** What became of an event. */
export interface Appended {
  readonly entry: LedgerEntry
  /** False if an entry with the same idempotency key was there already. */
  readonly isNew: boolean
}

export interface WriterOptions {
  readonly database: Database
  readonly collection: string
}

/** Batches of disjoint chains that are on their way at once: while one is being written the next is hashed. */
const laneCount = 2
/** Chains whose heads are kept in memory. */
const maximumChains = 50_000
/** After a repeated event so many batches look for repetitions before they write. */
const watchfulBatches = 20
const attempts = 200
const duplicateKey = 11000
const unauthorized = 13
const subject = { name: ledgerEntryEntity.name, secretFields: new Set<string>() }

/** Appends events to their chains, in batches that share a commit. */
export class LedgerWriter {
  readonly #database: Database
  readonly #collection: Collection<LedgerEntry>
  readonly #stores: Stores
  readonly #chains = new Map<string, Chain>()
  readonly #lanes: readonly Lane[]
  #watchful = 0
  /** The library's own entries are valid by construction: the server need not check them again, if it lets us say so. */
  #bypassValidator = true

  constructor({ database, collection }: WriterOptions) {
    this.#database = database
    this.#collection = database.native.collection<LedgerEntry>(collection, {
      writeConcern: { w: 'majority', journal: true },
    })
    this.#stores = { chains: new ChainStore(this.#collection), facts: new FactStore(this.#collection) }
    this.#lanes = Array.from({ length: laneCount }, () => new Lane((batch) => this.#write(batch)))
  }

  /** Appends the events, each to the end of its switch's chain; durable (majority, journaled) when it resolves. */
  append(events: readonly LedgerEvent[]): Promise<Appended[]> {
    if (this.#database.transactions.session !== undefined) return this.#appendInTransaction(events)
    return Promise.all(events.map((event) => this.#laneOf(event).add(event)))
  }

  /** The chain lives in one lane, so no two batches in flight hold entries of it. */
  #laneOf(event: LedgerEvent): Lane {
    const id = event.switchId.id
    return this.#lanes[(id[11] ?? 0) % laneCount] as Lane
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    let open = batch
    for (let attempt = 1; open.length > 0; attempt += 1) {
      if (this.#watchful > 0 || attempt > 1) {
        this.#watchful = Math.max(0, this.#watchful - 1)
        open = await this.#settleRepeated(open)
      }
      const entries = await this.#build(open)
      const outcome = await this.#insert(entries)
      for (let at = 0; at < outcome.stored; at += 1)
        open[at]?.resolve({ entry: entries[at] as LedgerEntry, isNew: true })
      open = open.slice(outcome.stored)
      if (open.length === 0) break
      for (const { event } of open) this.#forget(event)
      if (outcome.isRepeated) this.#watchful = watchfulBatches
      else if (attempt >= attempts || !isCollision(outcome.error)) throw translateError(outcome.error, subject)
      else await pause(attempt)
    }
    for (const { event } of batch) this.#chains.get(chainKey(event))?.stored()
  }

  /** Resolves the events whose entries exist already, and those that repeat another of the batch; gives back the others. */
  async #settleRepeated(open: readonly Pending[]): Promise<readonly Pending[]> {
    const known = await this.#existing(
      open.map(({ event }) => event),
      undefined,
    )
    const rest: Pending[] = []
    for (const pending of open) {
      const entry = known.get(eventKey(pending.event))
      if (entry === undefined) rest.push(pending)
      else pending.resolve({ entry, isNew: false })
    }
    return rest
  }

  async #existing(
    events: readonly LedgerEvent[],
    session: ClientSession | undefined,
  ): Promise<Map<string, LedgerEntry>> {
    if (events.length === 0) return new Map()
    const switchIds = [...new Map(events.map(({ switchId }) => [switchId.toHexString(), switchId])).values()]
    const entries = await this.#stores.chains.existing(
      switchIds,
      events.map(({ idempotencyKey }) => idempotencyKey),
      session,
    )
    return new Map(entries.map((entry) => [eventKey(entry), entry]))
  }

  async #build(batch: readonly Pending[]): Promise<LedgerEntry[]> {
    await this.#loadChains(batch)
    const entries: LedgerEntry[] = []
    for (const { event } of batch) {
      const chain = this.#chains.get(chainKey(event)) as Chain
      entries.push(await chain.extend(event, undefined))
    }
    return entries
  }

  async #loadChains(batch: readonly Pending[]): Promise<void> {
    const missing = new Map(
      batch.filter(({ event }) => !this.#chains.has(chainKey(event))).map(({ event }) => [chainKey(event), event]),
    )
    if (missing.size === 0) return
    if (this.#chains.size > maximumChains) this.#chains.clear()
    await Promise.all(
      [...missing].map(async ([key, event]) =>
        this.#chains.set(key, await Chain.load(event.switchId, this.#stores, undefined)),
      ),
    )
  }

  #forget(event: LedgerEvent): void {
    this.#chains.delete(chainKey(event))
  }

  /** Inserts in order: what follows a collision is not stored, or its chain would fork. */
  async #insert(entries: readonly LedgerEntry[]): Promise<{ stored: number; isRepeated: boolean; error?: unknown }> {
    if (entries.length === 0) return { stored: 0, isRepeated: false }
    try {
      await this.#insertMany(entries.map(toStoredEntry), undefined)
      return { stored: entries.length, isRepeated: false }
    } catch (error) {
      // A write concern that failed beside it leaves open whether the first ones are durable: look again.
      const isCertain = error instanceof MongoBulkWriteError && error.result.getWriteConcernError() === undefined
      return { stored: isCertain ? firstFailure(error) : 0, isRepeated: isRepetition(error), error }
    }
  }

  async #insertMany(documents: Document[], session: ClientSession | undefined): Promise<void> {
    const options = { ordered: true, ...(session === undefined ? {} : { session }) }
    if (this.#bypassValidator) {
      try {
        await this.#collection.insertMany(documents as never[], { ...options, bypassDocumentValidation: true })
        return
      } catch (error) {
        if (!(error instanceof MongoServerError) || error.code !== unauthorized) throw error
        this.#bypassValidator = false
        if (session !== undefined) throw error
        this.#database.logger.info({}, 'the role lacks bypassDocumentValidation: ledger entries are checked twice')
      }
    }
    await this.#collection.insertMany(documents as never[], options)
  }

  /** In the caller's transaction: nothing in memory counts, the heads are read in the transaction's own view. */
  async #appendInTransaction(events: readonly LedgerEvent[]): Promise<Appended[]> {
    const known = await this.#inTransaction((session) => this.#existing(events, session))
    const chains = new Map<string, Chain>()
    const results: Appended[] = []
    const fresh: LedgerEntry[] = []
    for (const event of events) {
      const found = known.get(eventKey(event))
      if (found !== undefined) {
        results.push({ entry: found, isNew: false })
        continue
      }
      const entry = await this.#inTransaction(async (session) => {
        const chain = chains.get(chainKey(event)) ?? (await Chain.load(event.switchId, this.#stores, session))
        chains.set(chainKey(event), chain)
        return chain.extend(event, session)
      })
      known.set(eventKey(event), entry)
      fresh.push(entry)
      results.push({ entry, isNew: true })
    }
    if (fresh.length > 0) await this.#inTransaction((session) => this.#insertInTransaction(fresh, session))
    this.#database.transactions.afterCommit(() => {
      for (const key of chains.keys()) this.#chains.delete(key)
    })
    return results
  }

  /** Somebody else was first: the transaction has to begin again with the chain as it is now. */
  async #insertInTransaction(entries: readonly LedgerEntry[], session: ClientSession | undefined): Promise<void> {
    try {
      await this.#insertMany(entries.map(toStoredEntry), session)
    } catch (error) {
      if (error instanceof MongoServerError && error.code === duplicateKey)
        error.addErrorLabel('TransientTransactionError')
      throw error
    }
  }

  #inTransaction<Result>(task: (session: ClientSession | undefined) => Promise<Result>): Promise<Result> {
    return this.#database.run(ledgerEntryEntity, 'append', task)
  }
}

function chainKey({ switchId }: Pick<LedgerEvent, 'switchId'>): string {
  return switchId.toHexString()
}

function eventKey({ switchId, idempotencyKey }: Pick<LedgerEvent, 'switchId' | 'idempotencyKey'>): string {
  return `${switchId.toHexString()} ${idempotencyKey}`
}

function firstFailure(error: MongoBulkWriteError): number {
  const writeErrors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
  return Math.min(...writeErrors.map(({ index }) => index))
}

function isCollision(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey
}

function isRepetition(error: unknown): boolean {
  return isCollision(error) && (error as Error).message.includes('idempotencyKey')
}

function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 50)))
}
