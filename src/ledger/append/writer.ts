import { type ClientSession, MongoServerError, type ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError, ValidationError } from '../../core/errors.js'
import { serverCode } from '../../core/server-codes.js'
import { asTransient } from '../../core/translate-error.js'
import { type LedgerEntry, type LedgerEvent, ledgerEntryEntity } from '../entry/entry.js'
import { type ArchivedUntil, FactStore } from '../facts/fact-store.js'
import { AppendCall, type Appended, type Pending, PendingEvent } from './append-call.js'
import { Chain, type Stores } from './chain.js'
import { ChainCache } from './chain-cache.js'
import { ChainStore, keyOf } from './chain-store.js'
import { Contention } from './contention.js'
import { EntryStore } from './entry-store.js'
import { PartialInsertError } from './insert-command.js'
import { Lane } from './lane.js'

export interface WriterOptions {
  readonly database: Database
  readonly collection: string
  readonly archivedUntil: ArchivedUntil
}

interface ChainLane {
  readonly chains: ChainCache
  readonly lane: Lane<Pending>
}

/** Batches of disjoint chains that are on their way at once: while one is being written the next is hashed. */
const laneCount = 3
const batchSize = 1000
/** Chains whose heads are kept in memory, by each lane. */
const maximumChains = 25_000
/** After a repeated event so many batches look for repetitions before they write. */
const watchfulBatches = 20
const attempts = 200
const validationFailed = 121

/** Appends events to their chains, in batches that share a commit. */
export class LedgerWriter {
  readonly #database: Database
  readonly #stores: Stores
  readonly #entries: EntryStore
  readonly #lanes: readonly ChainLane[]
  readonly #contention = new Contention()
  #watchful = 0

  constructor({ database, collection: name, archivedUntil }: WriterOptions) {
    this.#database = database
    // What a secondary does not know yet would be left out of the registers.
    const collection = () => database.native.collection<LedgerEntry>(name, { readPreference: 'primary' })
    this.#stores = { chains: new ChainStore(collection), facts: new FactStore(collection, archivedUntil) }
    this.#entries = new EntryStore(database, name)
    this.#lanes = Array.from({ length: laneCount }, () => {
      const chains = new ChainCache(this.#stores, maximumChains)
      return { chains, lane: new Lane<Pending>(batchSize, (batch) => this.#write(batch, chains)) }
    })
  }

  /** Appends the events, each to the end of its switch's chain; durable (majority, journaled) when it resolves. */
  append(events: readonly LedgerEvent[]): Promise<Appended[]> {
    if (this.#database.transactions.session !== undefined) return this.#appendInTransaction(events)
    return this.#database.run(ledgerEntryEntity, 'append', () => this.#appendInLanes(events))
  }

  #appendInLanes(events: readonly LedgerEvent[]): Promise<Appended[]> {
    if (events.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const call = new AppendCall(events.length, resolve, reject)
      for (let at = 0; at < events.length; at += 1) {
        const event = events[at] as LedgerEvent
        this.#laneOf(event.switchId).lane.add(new PendingEvent(call, event, at))
      }
    })
  }

  /** A chain lives in one lane, so no two batches in flight hold entries of it. */
  #laneOf({ id }: ObjectId): ChainLane {
    return this.#lanes[(id[11] ?? 0) % laneCount] as ChainLane
  }

  /** Writes the batch: what belongs to contended chains beside the rest. */
  async #write(batch: readonly Pending[], chains: ChainCache): Promise<void> {
    await Promise.all(this.#contention.groups(batch).map((group) => this.#writeGroup(group, chains)))
  }

  async #writeGroup(group: readonly Pending[], chains: ChainCache): Promise<void> {
    let open = group
    for (let attempt = 1; open.length > 0; attempt += 1) {
      open = open.filter(({ isGivenUp }) => !isGivenUp)
      try {
        if (this.#watchful > 0) {
          this.#watchful = Math.max(0, this.#watchful - 1)
          open = await this.#settleRepeated(open)
        }
        open = await this.#writeOnce(open, chains, attempt)
      } catch (error) {
        open = giveUp(open, error, chains)
      }
      // A chain that turns out to be contended is not to hold up the others.
      if (this.#contention.groups(open).length > 1) {
        await this.#write(open, chains)
        return
      }
    }
  }

  /** Writes as much of the group as it can. @returns what is left, after a collision with another writer or a repetition. */
  async #writeOnce(batch: readonly Pending[], chains: ChainCache, attempt: number): Promise<readonly Pending[]> {
    if (this.#contention.has(batch[0]?.chain ?? '')) await this.#contention.turn()
    const known = await chains.load(new Map(batch.map(({ chain, event }) => [chain, event.switchId])))
    const entries = await this.#build(batch, known)
    if (entries === undefined) {
      // They are to be built again, without the one that could not be built and all that came with it.
      for (const { chain } of batch) chains.forget(chain)
      return batch
    }
    const startedAt = performance.now()
    const { stored, error } = await this.#insert(entries)
    for (let at = 0; at < stored; at += 1) batch[at]?.settle({ entry: entries[at] as LedgerEntry, isNew: true })
    const rest = batch.slice(stored)
    const isAsWas = isCollision(error) || isRefusal(error)
    // Of what was built and not stored nothing holds; unless an answer says what is stored, not even what was known before.
    for (const { chain } of rest) isAsWas ? chains.fallBehind(chain) : chains.forget(chain)
    const unstored = new Set(rest.map(({ chain }) => chain))
    for (const [id, chain] of known) if (!unstored.has(id)) chain.stored()
    if (error === undefined) {
      this.#contention.passed(known.keys(), performance.now() - startedAt)
      return []
    }
    if (attempt >= attempts) return giveUp(rest, error, chains)
    if (isRepetition(error)) this.#watchful = watchfulBatches
    else if (isCollision(error)) this.#contention.collided(rest[0]?.chain ?? '')
    // The server's validator refused this one; the others are none the worse for it.
    else if (isRefusal(error)) rest[0]?.fail(error)
    else return giveUp(rest, error, chains)
    return rest
  }

  /** The entries that the events become; undefined if one of them cannot become any, or its chain is not up to date. */
  async #build(batch: readonly Pending[], chains: ReadonlyMap<string, Chain>): Promise<LedgerEntry[] | undefined> {
    const entries: LedgerEntry[] = []
    for (const pending of batch) {
      const chain = chains.get(pending.chain) as Chain
      try {
        entries.push(chain.extendInOrder(pending.event) ?? (await chain.extend(pending.event)))
      } catch (error) {
        if (!isAboutEvent(error)) throw error
        // Facts that another writer appended, added to a register that lacks them, prove nothing against the event.
        const head = await this.#stores.chains.head(pending.event.switchId, undefined)
        if ((head?.sequence ?? 0) === chain.storedSequence) pending.fail(error)
        return undefined
      }
    }
    return entries
  }

  /** Inserts in order: what follows a collision is not stored, or its chain would fork. */
  async #insert(entries: readonly LedgerEntry[]): Promise<{ stored: number; error?: unknown }> {
    try {
      await this.#entries.insert(entries, undefined)
      return { stored: entries.length }
    } catch (error) {
      return { stored: error instanceof PartialInsertError ? error.stored : 0, error }
    }
  }

  /** Resolves the events whose entries exist already; gives back the others. */
  async #settleRepeated(open: readonly Pending[]): Promise<readonly Pending[]> {
    const events = open.map(({ event }) => event)
    const known = await this.#stores.chains.existing(events, undefined)
    const rest: Pending[] = []
    for (const pending of open) {
      const entry = known.get(keyOf(pending.event))
      if (entry === undefined) rest.push(pending)
      else pending.settle({ entry, isNew: false })
    }
    return rest
  }

  /** In the caller's transaction: nothing in memory counts, the heads are read in the transaction's own view. */
  async #appendInTransaction(events: readonly LedgerEvent[]): Promise<Appended[]> {
    const appended = await this.#database.run(ledgerEntryEntity, 'append', (session) => this.#appendIn(session, events))
    this.#database.transactions.afterCommit(() => {
      for (const { switchId } of events) this.#laneOf(switchId).chains.forget(switchId.toHexString())
    })
    return appended
  }

  async #appendIn(session: ClientSession | undefined, events: readonly LedgerEvent[]): Promise<Appended[]> {
    const known = await this.#stores.chains.existing(events, session)
    const chains = new Map<string, Chain>()
    const fresh: LedgerEntry[] = []
    const appended: Appended[] = []
    for (const event of events) {
      const found = known.get(keyOf(event))
      if (found !== undefined) {
        appended.push({ entry: found, isNew: false })
        continue
      }
      const id = event.switchId.toHexString()
      const chain = chains.get(id) ?? (await Chain.load(event.switchId, this.#stores, session))
      chains.set(id, chain)
      const entry = chain.extendInOrder(event) ?? (await chain.extend(event))
      known.set(keyOf(event), entry)
      fresh.push(entry)
      appended.push({ entry, isNew: true })
    }
    try {
      await this.#entries.insert(fresh, session)
    } catch (error) {
      // Somebody else was first: the transaction begins again, with the chains as they are then.
      throw isCollision(error) ? asTransient(error) : error
    }
    return appended
  }
}

/** Tells the calls of all of these. @returns nothing that is left. */
function giveUp(open: readonly Pending[], error: unknown, chains: ChainCache): readonly Pending[] {
  for (const pending of open) {
    chains.forget(pending.chain)
    pending.fail(error)
  }
  return []
}

/** Whether it is the event that cannot become an entry, and not the database that fails. */
function isAboutEvent(error: unknown): boolean {
  return error instanceof ValidationError || (error instanceof DatabaseError && error.code === 'ARCHIVED')
}

function isCollision(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === serverCode.duplicateKey
}

/** Whether the collision is about an event that has an entry, not about a place in a chain. */
function isRepetition(error: unknown): boolean {
  return isCollision(error) && 'idempotencyKey' in Object(error.keyPattern)
}

/** Whether the server's validator refused the first entry that is not stored. */
function isRefusal(error: unknown): boolean {
  return error instanceof PartialInsertError && error.code === validationFailed
}
