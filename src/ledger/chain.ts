import { type ClientSession, ObjectId } from 'mongodb'
import { type CounterState, counterEnergyChange, decideCounter } from '../metering/index.js'
import type { ChainStore } from './chain-store.js'
import { entryFormatVersion, type LedgerEntry, type LedgerEvent } from './entry.js'
import { compareFacts, type Fact, factOf, toCounterReading } from './fact.js'
import type { FactStore } from './fact-store.js'
import { generateHash, genesisHash } from './hash.js'
import { changeBetween, changeOf, noChange, type RegisterChange } from './register.js'

/** Where a chain reads what it does not know. */
export interface Stores {
  readonly chains: ChainStore
  readonly facts: FactStore
}

/**
 * One switch's chain as its writer knows it: the head, and the newest facts, so that an entry that comes in order costs no
 * query. Valid as long as nobody else appends; the unique index on the place in the chain tells when somebody did.
 */
export class Chain {
  readonly #switchId: ObjectId
  readonly #facts: FactStore
  #sequence = 0
  #hash = genesisHash
  #consumedMws = 0
  #producedMws = 0
  #cost = 0
  #newestMs = Number.NEGATIVE_INFINITY
  /** The newest fact of each source; null if there is none. */
  readonly #latest = new Map<Fact['source'], Fact | null>()
  /** The two neighbours between which the last late fact fell: the next one is likely to fall after it. */
  #gap: { before: Fact; after: Fact } | undefined
  #counter: CounterState | undefined
  /** Facts of entries that are built but not stored yet: the store does not know them. */
  #unstored: Fact[] = []

  private constructor(switchId: ObjectId, facts: FactStore) {
    this.#switchId = switchId
    this.#facts = facts
  }

  static async load(switchId: ObjectId, stores: Stores, session: ClientSession | undefined): Promise<Chain> {
    const chain = new Chain(switchId, stores.facts)
    const head = await stores.chains.head(switchId, session)
    if (head !== null) {
      chain.#sequence = head.sequence
      chain.#hash = head.hash
      chain.#consumedMws = Math.round(head.cumulativeEnergy * 1000)
      chain.#producedMws = Math.round(head.cumulativeProduction * 1000)
      chain.#cost = head.calculatedCost
      chain.#newestMs = head.timestamp.getTime()
    }
    return chain
  }

  /** The entry that the event becomes at the end of the chain, if that takes no look into the database. */
  extendInOrder(event: LedgerEvent): LedgerEntry | undefined {
    const fact = factOf(event)
    const change = fact === undefined ? noChange : this.#knownChange(fact)
    return change === undefined ? undefined : this.#append(event, fact, change)
  }

  /** The entry that the event becomes at the end of the chain. */
  async extend(event: LedgerEvent, session: ClientSession | undefined): Promise<LedgerEntry> {
    const fact = factOf(event)
    const change =
      fact === undefined ? noChange : (this.#knownChange(fact) ?? (await this.#lookedUpChange(fact, session)))
    return this.#append(event, fact, change)
  }

  /** To be called when what was built has been stored. */
  stored(): void {
    this.#unstored = []
  }

  #append(event: LedgerEvent, fact: Fact | undefined, change: RegisterChange): LedgerEntry {
    if (fact !== undefined) this.#unstored.push(fact)
    const consumedMws = this.#consumedMws + change.consumedMws
    const producedMws = this.#producedMws + change.producedMws
    const cost = this.#cost + change.cost
    const atMs = event.timestamp.getTime()
    const entry = {
      _id: new ObjectId(),
      formatVersion: entryFormatVersion,
      sequence: this.#sequence + 1,
      switchId: event.switchId,
      deviceId: event.deviceId,
      classroom: event.classroom,
      timestamp: event.timestamp,
      receivedAt: event.receivedAt,
      eventType: event.eventType,
      powerState: event.powerState,
      powerRating: event.powerRating,
      energySource: event.energySource,
      reading: event.reading,
      gapLimitMs: event.gapLimitMs,
      silentSince: event.silentSince,
      ratePerKwh: event.ratePerKwh,
      flags: atMs < this.#newestMs && !event.flags.includes('late') ? [...event.flags, 'late' as const] : event.flags,
      metadata: event.metadata,
      idempotencyKey: event.idempotencyKey,
      cumulativeEnergy: consumedMws / 1000,
      cumulativeProduction: producedMws / 1000,
      calculatedCost: cost,
      previousHash: this.#hash,
      hash: '',
    } satisfies LedgerEntry
    entry.hash = generateHash(entry)
    this.#sequence = entry.sequence
    this.#hash = entry.hash
    this.#consumedMws = consumedMws
    this.#producedMws = producedMws
    this.#cost = cost
    this.#newestMs = Math.max(this.#newestMs, atMs)
    return entry
  }

  /** What the fact changes, if its place in time is known: after the newest, or where the last late one fell. */
  #knownChange(fact: Fact): RegisterChange | undefined {
    if (fact.source === 'counter') return this.#knownCounterChange(fact)
    const latest = this.#latest.get(fact.source)
    if (latest === undefined) return undefined
    if (latest === null || compareFacts(latest, fact) <= 0) {
      this.#latest.set(fact.source, fact)
      return latest === null ? noChange : changeBetween(latest, fact, undefined)
    }
    const gap = this.#gapAround(fact)
    if (gap === undefined) return undefined
    this.#gap = { before: fact, after: gap.after }
    return changeBetween(gap.before, fact, gap.after)
  }

  async #lookedUpChange(fact: Fact, session: ClientSession | undefined): Promise<RegisterChange> {
    if (fact.source === 'counter') return this.#counterChange(fact, session)
    await this.#learnLatest(fact.source, session)
    const known = this.#knownChange(fact)
    if (known !== undefined) return known
    const { before, after } = await this.#neighbours(fact, session)
    this.#gap = after === undefined ? undefined : { before: fact, after }
    return changeBetween(before, fact, after)
  }

  /** The remembered neighbours, if the fact falls between them. */
  #gapAround(fact: Fact): { before: Fact; after: Fact } | undefined {
    const gap = this.#gap
    if (gap === undefined || gap.after.source !== fact.source) return undefined
    return compareFacts(gap.before, fact) < 0 && compareFacts(fact, gap.after) < 0 ? gap : undefined
  }

  async #neighbours(
    fact: Fact,
    session: ClientSession | undefined,
  ): Promise<{ before: Fact | undefined; after: Fact | undefined }> {
    let before = await this.#facts.before(this.#switchId, fact, session)
    let after = await this.#facts.after(this.#switchId, fact, session)
    for (const other of this.#unstored) {
      if (other.source !== fact.source) continue
      const order = compareFacts(other, fact)
      if (order < 0 && (before === undefined || compareFacts(before, other) < 0)) before = other
      if (order > 0 && (after === undefined || compareFacts(other, after) < 0)) after = other
    }
    return { before, after }
  }

  async #learnLatest(source: Fact['source'], session: ClientSession | undefined): Promise<void> {
    if (this.#latest.has(source)) return
    const latest = this.#sequence === 0 ? undefined : await this.#facts.latest(this.#switchId, source, session)
    this.#latest.set(source, latest ?? null)
  }

  #knownCounterChange(fact: Fact): RegisterChange | undefined {
    const { counter: rules } = fact
    if (rules === undefined) return noChange
    if (this.#counter === undefined || fact.atMs <= (this.#counter.untilMs ?? Number.NEGATIVE_INFINITY))
      return undefined
    const outcome = decideCounter([toCounterReading(fact)], rules, this.#counter)
    this.#counter = outcome.state
    return changeOf(outcome.energyMws, fact.ratePerKwh)
  }

  async #counterChange(fact: Fact, session: ClientSession | undefined): Promise<RegisterChange> {
    const { counter: rules } = fact
    if (rules === undefined) return noChange
    this.#counter ??= await this.#counterStateNow(rules, session)
    const known = this.#knownCounterChange(fact)
    if (known !== undefined) return known
    const window = await this.#counterWindow(fact.atMs, rules, session)
    this.#counter = undefined
    return changeOf(counterEnergyChange(window, toCounterReading(fact), rules), fact.ratePerKwh)
  }

  async #counterStateNow(
    rules: NonNullable<Fact['counter']>,
    session: ClientSession | undefined,
  ): Promise<CounterState> {
    return decideCounter(await this.#counterWindow(8.64e15, rules, session), rules).state
  }

  async #counterWindow(atMs: number, rules: NonNullable<Fact['counter']>, session: ClientSession | undefined) {
    const stored = await this.#facts.counterWindow(this.#switchId, atMs, rules, session)
    return [...stored, ...this.#unstored.filter(({ source }) => source === 'counter')].map(toCounterReading)
  }
}
