import { type ClientSession, type Collection, MongoServerError } from 'mongodb'
import type { Database } from '../core/database.js'
import { translateError } from '../core/translate-error.js'
import { AppendCall, type Appended } from './append-call.js'
import { Chain, type Stores } from './chain.js'
import { ChainStore } from './chain-store.js'
import type { LedgerEntry, LedgerEvent } from './entry.js'
import { ledgerEntryEntity } from './entry.js'
import { FactStore } from './fact-store.js'
import { insertInOrder, PartialInsertError } from './insert-command.js'
import { Lane, type Pending } from './lane.js'
import { toStoredEntry } from './stored-entry.js'

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
    if (events.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const call = new AppendCall(events.length, resolve, reject)
      for (const [at, event] of events.entries()) this.#laneOf(event).add(call.pending(event, at))
    })
  }

  /** The chain lives in one lane, so no two batches in flight hold entries of it. */
  #laneOf(event: LedgerEvent): Lane {
    const id = event.switchId.id
    return this.#lanes[(id[11] ?? 0) % laneCount] as Lane
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    let open = batch
    try {
      for (let attempt = 1; open.length > 0; attempt += 1) {
        if (this.#watchful > 0 || attempt > 1) {
          this.#watchful = Math.max(0, this.#watchful - 1)
          open = await this.#settleRepeated(open)
        }
        open = await this.#writeOnce(open, attempt)
      }
    } finally {
      // What was built and not stored is in memory only: it is to be read again.
      for (const { chain } of open) this.#chains.delete(chain)
      for (const { chain } of batch) this.#chains.get(chain)?.stored()
    }
  }

  /** Writes as much of the batch as it can. @returns what is left, after a collision with another writer or a repetition. */
  async #writeOnce(batch: readonly Pending[], attempt: number): Promise<readonly Pending[]> {
    const entries = await this.#build(batch)
    const { stored, error } = await this.#insert(entries)
    for (let at = 0; at < stored; at += 1) batch[at]?.settle({ entry: entries[at] as LedgerEntry, isNew: true })
    if (error === undefined) return []
    const rest = batch.slice(stored)
    for (const { chain } of rest) this.#chains.delete(chain)
    if (isRepetition(error)) this.#watchful = watchfulBatches
    else if (attempt >= attempts || !isCollision(error)) throw translateError(error, subject)
    else await pause(attempt)
    return rest
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
      else pending.settle({ entry, isNew: false })
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
    for (const { event, chain: key } of batch) {
      const chain = this.#chains.get(key) as Chain
      entries.push(chain.extendInOrder(event) ?? (await chain.extend(event, undefined)))
    }
    return entries
  }

  async #loadChains(batch: readonly Pending[]): Promise<void> {
    const missing = new Map<string, LedgerEvent>()
    for (const { event, chain } of batch) if (!this.#chains.has(chain)) missing.set(chain, event)
    if (missing.size === 0) return
    if (this.#chains.size > maximumChains) this.#chains.clear()
    await Promise.all(
      [...missing].map(async ([key, event]) =>
        this.#chains.set(key, await Chain.load(event.switchId, this.#stores, undefined)),
      ),
    )
  }

  /** Inserts in order: what follows a collision is not stored, or its chain would fork. */
  async #insert(entries: readonly LedgerEntry[]): Promise<{ stored: number; error?: unknown }> {
    if (entries.length === 0) return { stored: 0 }
    try {
      await this.#insertAll(entries, undefined)
      return { stored: entries.length }
    } catch (error) {
      return { stored: error instanceof PartialInsertError ? error.stored : 0, error }
    }
  }

  async #insertAll(entries: readonly LedgerEntry[], session: ClientSession | undefined): Promise<void> {
    const documents = entries.map(toStoredEntry)
    const { native } = this.#database
    try {
      await insertInOrder(native, this.#collection.collectionName, documents, this.#bypassValidator, session)
    } catch (error) {
      if (!this.#bypassValidator || !(error instanceof MongoServerError) || error.code !== unauthorized) throw error
      this.#bypassValidator = false
      this.#database.logger.info({}, 'the role lacks bypassDocumentValidation: ledger entries are checked twice')
      // In a transaction the failure has ended it: it begins again, and then without.
      if (session !== undefined) throw transient(error)
      await insertInOrder(native, this.#collection.collectionName, documents, false, session)
    }
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
        const chain =
          chains.get(event.switchId.toHexString()) ?? (await Chain.load(event.switchId, this.#stores, session))
        chains.set(event.switchId.toHexString(), chain)
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
      await this.#insertAll(entries, session)
    } catch (error) {
      throw isCollision(error) ? transient(error) : error
    }
  }

  #inTransaction<Result>(task: (session: ClientSession | undefined) => Promise<Result>): Promise<Result> {
    return this.#database.run(ledgerEntryEntity, 'append', task)
  }
}

function eventKey({ switchId, idempotencyKey }: Pick<LedgerEvent, 'switchId' | 'idempotencyKey'>): string {
  return `${switchId.toHexString()} ${idempotencyKey}`
}

/** Marks the error so that the transaction is run again from its start. */
function transient(error: MongoServerError): MongoServerError {
  error.addErrorLabel('TransientTransactionError')
  return error
}

function isCollision(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === duplicateKey
}

/** Whether the collision is about an event that has an entry, not about a place in a chain. */
function isRepetition(error: unknown): boolean {
  return isCollision(error) && 'idempotencyKey' in Object(error.keyPattern)
}

function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 50)))
}
