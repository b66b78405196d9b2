import type { ClientSession, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { asTransient, hasErrorLabel } from '../../core/translate-error.js'
import type { FindImposters } from '../archive/archived-entries.js'
import { type LedgerEntry, type LedgerEvent, ledgerEntryEntity } from '../entry/entry.js'
import type { SealedEntry } from '../entry/seal.js'
import { type ArchivedUntil, FactStore } from '../facts/fact-store.js'
import { AppendCall, type Appended, type Pending, PendingEvent } from './append-call.js'
import { isAboutEvent, isCollision, isRefusal, isRepetition } from './append-errors.js'
import { BatchQueue } from './batch-queue.js'
import { Chain, type Stores } from './chain.js'
import { ChainCache } from './chain-cache.js'
import { ChainStore, imposterError, keyOf } from './chain-store.js'
import { Contention } from './contention.js'
import { EntryStore } from './entry-store.js'
import { PartialInsertError } from './insert-command.js'
import { readAroundLate } from './late-events.js'
import { TransactionTurns } from './transaction-turns.js'
import { WriterQueue } from './writer-queue.js'
import type { QueuedWriter } from './writer-queue-entity.js'
import { contentionError, WriterTurns } from './writer-turns.js'

export interface WriterOptions {
  readonly database: Database
  readonly collection: string
  readonly writerQueueEntity: Entity<QueuedWriter>
  readonly archivedUntil: ArchivedUntil
  readonly imposters: FindImposters
}

interface ChainQueue {
  readonly chains: ChainCache
  readonly queue: BatchQueue<Pending>
}

/** Batches of disjoint chains that are on their way at once: while one is being written the next is hashed. */
const queueCount = 3
const batchSize = 1000
/** Chains whose heads are kept in memory, by each queue. */
const maximumChains = 25_000
/** After a repeated event so many batches look for repetitions before they write. */
const watchfulBatches = 20
/** A writer that is always first learns after so many writes that others wait. */
const writesBetweenLooks = 20
const giveUpAfterMs = 60_000

/** Appends events to their chains, in batches that share a commit. */
export class LedgerWriter {
  readonly #database: Database
  readonly #stores: Stores
  readonly #entries: EntryStore
  readonly #queues: readonly ChainQueue[]
  readonly #contention = new Contention()
  readonly #turns: WriterTurns
  readonly #holds: TransactionTurns
  #watchful = 0
  #writesSinceLook = 0

  constructor({ database, collection: name, writerQueueEntity, archivedUntil, imposters }: WriterOptions) {
    this.#database = database
    this.#turns = new WriterTurns(database, new WriterQueue(database, writerQueueEntity), this.#contention)
    this.#holds = new TransactionTurns(this.#turns)
    // What a secondary does not know yet would be left out of the registers.
    const collection = () => database.native.collection<LedgerEntry>(name, { readPreference: 'primary' })
    this.#stores = { chains: new ChainStore(collection, imposters), facts: new FactStore(collection, archivedUntil) }
    this.#entries = new EntryStore(database, name)
    this.#queues = Array.from({ length: queueCount }, () => {
      const chains = new ChainCache(this.#stores, maximumChains, (chain) => this.#contention.noticed(chain))
      return {
        chains,
        queue: new BatchQueue<Pending>(batchSize, (batch) => this.#write(batch, chains, deadlineFromNow())),
      }
    })
  }

  /** Appends the events, each to the end of its switch's chain; durable (majority, journaled) when it resolves. */
  append(events: readonly LedgerEvent[]): Promise<Appended[]> {
    const { session } = this.#database.transactions
    if (session !== undefined) return this.#appendInTransaction(session, events)
    return this.#database.run(ledgerEntryEntity, 'append', () => this.#appendInQueues(events))
  }

  #appendInQueues(events: readonly LedgerEvent[]): Promise<Appended[]> {
    if (events.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const call = new AppendCall(events.length, resolve, reject)
      for (let at = 0; at < events.length; at += 1) {
        const event = events[at] as LedgerEvent
        this.#queueOf(event.switchId).queue.add(new PendingEvent(call, event, at))
      }
    })
  }

  /** A chain lives in one queue, so no two batches in flight hold entries of it. */
  #queueOf({ id }: ObjectId): ChainQueue {
    return this.#queues[(id[11] ?? 0) % queueCount] as ChainQueue
  }

  /** Writes the batch: what belongs to contended chains in its turn, beside the rest. */
  async #write(batch: readonly Pending[], chains: ChainCache, deadlineMs: number): Promise<void> {
    const calm = batch.filter(({ chain }) => !this.#contention.has(chain))
    const contended = batch.filter(({ chain }) => this.#contention.has(chain))
    await Promise.all([this.#writeCalm(calm, chains, deadlineMs), this.#writeInTurn(contended, chains, deadlineMs)])
  }

  async #writeCalm(group: readonly Pending[], chains: ChainCache, deadlineMs: number): Promise<void> {
    let open = group
    while (open.length > 0) {
      open = await this.#writeSome(open, chains, deadlineMs)
      // A chain that turns out to be contended is not to hold up the others.
      if (open.some(({ chain }) => this.#contention.has(chain))) return this.#write(open, chains, deadlineMs)
    }
  }

  async #writeInTurn(group: readonly Pending[], chains: ChainCache, deadlineMs: number): Promise<void> {
    if (group.length === 0) return
    let open = group
    try {
      const { unread, leave } = await this.#turns.enter(chainsOf(group), deadlineMs)
      for (const chain of unread) chains.fallBehind(chain)
      // Who does not know yet that it is our turn may be first for some more writes.
      while (open.length > 0) open = await this.#writeSome(open, chains, deadlineMs)
      leave()
    } catch (error) {
      giveUp(open, error, chains)
    }
  }

  /** As {@link #writeOnce}, or gives up what it fails for. @returns what is left to be written. */
  async #writeSome(group: readonly Pending[], chains: ChainCache, deadlineMs: number): Promise<readonly Pending[]> {
    let open: readonly Pending[] = group.filter(({ isGivenUp }) => !isGivenUp)
    try {
      await this.#lookForOthers(open)
      if (this.#watchful > 0) {
        this.#watchful = Math.max(0, this.#watchful - 1)
        open = await this.#settleRepeated(open)
      }
      return await this.#writeOnce(open, chains, deadlineMs)
    } catch (error) {
      return giveUp(open, error, chains)
    }
  }

  async #lookForOthers(open: readonly Pending[]): Promise<void> {
    this.#writesSinceLook += 1
    if (this.#writesSinceLook < writesBetweenLooks) return
    this.#writesSinceLook = 0
    await this.#turns.look(chainsOf(open))
  }

  /** Writes as much of the group as it can. @returns what is left, after a collision with another writer or a repetition. */
  async #writeOnce(batch: readonly Pending[], chains: ChainCache, deadlineMs: number): Promise<readonly Pending[]> {
    const known = await chains.load(new Map(batch.map(({ chain, event }) => [chain, event.switchId])))
    const events = batch.map(({ event }) => event)
    await readAroundLate(events, known, this.#stores.facts, undefined)
    const entries = await this.#build(batch, known)
    if (entries === undefined) {
      // They are to be built again, without the one that could not be built and all that came with it.
      for (const { chain } of batch) chains.forget(chain)
      return batch
    }
    const { stored, error } = await this.#insert(entries)
    for (let at = 0; at < stored; at += 1) batch[at]?.settle({ entry: (entries[at] as SealedEntry).entry, isNew: true })
    const rest = batch.slice(stored)
    const isAsWas = isCollision(error) || isRefusal(error)
    // Of what was built and not stored nothing holds; unless an answer says what is stored, not even what was known before.
    for (const { chain } of rest) isAsWas ? chains.fallBehind(chain) : chains.forget(chain)
    const unstored = new Set(rest.map(({ chain }) => chain))
    for (const [id, chain] of known) if (!unstored.has(id)) chain.stored()
    chains.forgetOldFacts(known)
    if (error === undefined) {
      this.#contention.passed(known.keys())
      return []
    }
    if (isCollision(error) && performance.now() >= deadlineMs) return giveUp(rest, contentionError(), chains)
    if (isRepetition(error)) this.#watchful = watchfulBatches
    else if (isCollision(error)) this.#contention.noticed(rest[0]?.chain ?? '')
    // The server's validator refused this one; the others are none the worse for it.
    else if (isRefusal(error)) rest[0]?.fail(error)
    else return giveUp(rest, error, chains)
    return rest
  }

  /** The entries that the events become; undefined if one of them cannot become any, or its chain is not up to date. */
  async #build(batch: readonly Pending[], chains: ReadonlyMap<string, Chain>): Promise<SealedEntry[] | undefined> {
    const entries: SealedEntry[] = []
    for (const pending of batch) {
      const chain = chains.get(pending.chain) as Chain
      try {
        entries.push(chain.extendInOrder(pending.event) ?? (await chain.extend(pending.event)))
      } catch (error) {
        if (!isAboutEvent(error)) throw error
        // Facts that another writer appended, added to a register that lacks them, prove nothing against the event.
        const head = await this.#stores.chains.head(pending.event.switchId, undefined)
        if ((head?.sequence ?? 0) === chain.storedSequence) pending.fail(error)
        else this.#contention.noticed(pending.chain)
        return undefined
      }
    }
    return entries
  }

  /** Inserts in order: what follows a collision is not stored, or its chain would fork. */
  async #insert(entries: readonly SealedEntry[]): Promise<{ stored: number; error?: unknown }> {
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
      const key = keyOf(pending.event)
      const entry = known.get(key)
      if (entry !== undefined) pending.settle({ entry, isNew: false })
      else if (known.has(key)) pending.fail(imposterError(pending.event))
      else rest.push(pending)
    }
    return rest
  }

  /** In the caller's transaction: nothing in memory counts, the heads are read in the transaction's own view. */
  async #appendInTransaction(session: ClientSession, events: readonly LedgerEvent[]): Promise<Appended[]> {
    const appended = await this.#database.run(ledgerEntryEntity, 'append', () => this.#appendIn(session, events))
    this.#database.transactions.afterCommit(() => {
      this.#holds.end(session)
      for (const { switchId } of events) this.#queueOf(switchId).chains.forget(switchId.toHexString())
    })
    return appended
  }

  async #appendIn(session: ClientSession, events: readonly LedgerEvent[]): Promise<Appended[]> {
    const contended = events.map(({ switchId }) => switchId.toHexString()).filter((id) => this.#contention.has(id))
    await this.#holds.hold(session, [...new Set(contended)], deadlineFromNow())
    const known = await this.#stores.chains.existing(events, session)
    const taken = events.find((event) => known.has(keyOf(event)) && known.get(keyOf(event)) === undefined)
    if (taken !== undefined) throw imposterError(taken)
    const chains = new Map<string, Chain>()
    const unknown = events.filter((event) => !known.has(keyOf(event)))
    for (const { switchId } of unknown) {
      const id = switchId.toHexString()
      if (!chains.has(id)) chains.set(id, await Chain.load(switchId, this.#stores, session))
    }
    await readAroundLate(unknown, chains, this.#stores.facts, session)
    const fresh: SealedEntry[] = []
    const appended: Appended[] = []
    for (const event of events) {
      const found = known.get(keyOf(event))
      if (found !== undefined) {
        appended.push({ entry: found, isNew: false })
        continue
      }
      const chain = chains.get(event.switchId.toHexString()) as Chain
      const sealed = chain.extendInOrder(event) ?? (await chain.extend(event))
      known.set(keyOf(event), sealed.entry)
      fresh.push(sealed)
      appended.push({ entry: sealed.entry, isNew: true })
    }
    try {
      await this.#entries.insert(fresh, session)
    } catch (error) {
      if (!isCollision(error) && !hasErrorLabel(error, 'TransientTransactionError')) throw error
      for (const id of chains.keys()) this.#contention.noticed(id)
      // Somebody else was first: the transaction begins again, in its turn, with the chains as they are then.
      throw isCollision(error) ? asTransient(error) : error
    }
    return appended
  }
}

function deadlineFromNow(): number {
  return performance.now() + giveUpAfterMs
}

function chainsOf(group: readonly Pending[]): string[] {
  return [...new Set(group.map(({ chain }) => chain))]
}

/** Settles the calls of all of these. @returns nothing that is left. */
function giveUp(open: readonly Pending[], error: unknown, chains: ChainCache): readonly Pending[] {
  for (const pending of open) {
    chains.forget(pending.chain)
    pending.fail(error)
  }
  return []
}
