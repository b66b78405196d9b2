import { type ClientSession, ObjectId } from 'mongodb'
import { ValidationError } from '../../core/errors.js'
import { type EntryFlag, type LedgerEntry, type LedgerEvent, maximumRegisterWs } from '../entry/entry.js'
import { entryFormatVersion } from '../entry/format-version.js'
import { generateHash } from '../entry/hash.js'
import { compareFacts, type Fact, factOf } from '../facts/fact.js'
import { partTheirNeighbours } from '../facts/fact-run.js'
import type { FactStore } from '../facts/fact-store.js'
import { RecentFacts } from '../facts/recent-facts.js'
import { adjustmentOf, changeAmong, type RegisterChange, sumOf } from '../facts/register.js'
import { SwitchMeter } from '../facts/switch-meter.js'
import { type ChainHead, emptyHead, headOf } from './chain-head.js'
import type { ChainPlace, ChainStore, FollowedEntry } from './chain-store.js'

/** Currency units; the validator takes no more. */
const maximumCost = 1e12

/** Where a chain reads what it does not know. */
export interface Stores {
  readonly chains: ChainStore
  readonly facts: FactStore
}

/**
 * One switch's chain as its writer knows it: the head, and the energy up to the newest fact, so that an entry that comes in
 * order costs no query. Valid as long as nobody else appends; the unique index on the place in the chain tells when
 * somebody did. After an error it is of no use any more.
 */
export class Chain {
  readonly #switchId: ObjectId
  readonly #facts: FactStore
  readonly #session: ClientSession | undefined
  #head: ChainHead = emptyHead
  /** What of it is in the database, as far as it is known. */
  #stored: ChainHead = emptyHead
  /** Stands after the newest fact; undefined while a late one may have changed what it knows. */
  #meter: SwitchMeter | undefined
  #recent = new RecentFacts([])
  /** The two neighbours between which the next late fact is likely to fall: the last late one, and the one after it. */
  #gap: { readonly before: Fact; readonly after: Fact } | undefined
  /** Facts of entries that are built but not stored yet: the store does not know them. */
  #unstored: Fact[] = []

  private constructor(switchId: ObjectId, { facts }: Stores, session: ClientSession | undefined) {
    this.#switchId = switchId
    this.#facts = facts
    this.#session = session
  }

  static async load(switchId: ObjectId, stores: Stores, session: ClientSession | undefined): Promise<Chain> {
    const chain = new Chain(switchId, stores, session)
    const head = await stores.chains.head(switchId, session)
    if (head === null) {
      chain.#meter = new SwitchMeter()
      return chain
    }
    const isNewest = !head.flags.includes('late')
    const newestMs = isNewest ? head.timestamp.getTime() : await stores.chains.newestMs(switchId, session)
    chain.#head = headOf(head, newestMs)
    chain.#stored = chain.#head
    chain.#meter = await chain.#newMeter()
    return chain
  }

  /** The entry that the event becomes at the end of the chain, if that takes no look into the database. */
  extendInOrder(event: LedgerEvent): LedgerEntry | undefined {
    const fact = factOf(event)
    const change = fact === undefined ? this.#adjustmentInOrder(event) : this.#knownChange(fact)
    return change === undefined ? undefined : this.#append(event, fact, change)
  }

  /** The entry that the event becomes at the end of the chain. */
  async extend(event: LedgerEvent): Promise<LedgerEntry> {
    const fact = factOf(event)
    const change = fact === undefined ? await this.#lookedUpAdjustment(event) : await this.#lookedUpChange(fact)
    return this.#append(event, fact, change)
  }

  #adjustmentInOrder(event: LedgerEvent): RegisterChange | undefined {
    return event.timestamp.getTime() < this.#head.newestMs ? undefined : adjustmentOf(event)
  }

  /** One of so long ago may have its entry in an archive, where its idempotency key is not seen. */
  async #lookedUpAdjustment(event: LedgerEvent): Promise<RegisterChange> {
    await this.#facts.refuseArchived(this.#switchId, event.timestamp.getTime(), this.#beside())
    return adjustmentOf(event)
  }

  /** The number of the last entry that is stored, as far as the chain knows. */
  get storedSequence(): number {
    return this.#stored.sequence
  }

  /** The last entry that is stored, as far as the chain knows. */
  get storedPlace(): ChainPlace {
    return { switchId: this.#switchId, sequence: this.#stored.sequence }
  }

  /** To be called when what was built has been stored. */
  stored(): void {
    this.#stored = this.#head
    if (this.#unstored.length > 0) this.#unstored = []
  }

  /**
   * Forgets what was built and not stored, and takes over what others have appended: one query for many chains, where each
   * that is loaded anew takes three.
   * @param entries All after {@link storedPlace}, in order.
   * @returns false if it has to be loaded anew.
   */
  takeOver(entries: readonly FollowedEntry[]): boolean {
    this.#recent.drop(this.#unstored)
    this.#unstored = []
    // Without one that is known, nobody can say what lies between the new ones and those before them.
    if (this.#recent.all.length === 0) return false
    this.#gap = undefined
    this.#recent.addOfOthers(entries.flatMap((entry) => factOf(entry) ?? []))
    const last = entries.at(-1)
    const newestMs = Math.max(this.#stored.newestMs, ...entries.map(({ timestamp }) => timestamp.getTime()))
    if (last !== undefined) this.#stored = headOf(last, newestMs)
    this.#head = this.#stored
    const facts = this.#recent.all
    if (!partTheirNeighbours(facts)) return false
    // What comes before one that is no counter reading makes no difference to what comes after it.
    const parting = facts.findLastIndex(({ counter }) => counter === undefined)
    this.#meter = new SwitchMeter()
    this.#meter.take(parting === -1 ? facts : facts.slice(parting))
    return true
  }

  #append(event: LedgerEvent, fact: Fact | undefined, change: RegisterChange): LedgerEntry {
    const head = this.#head
    const consumedMws = head.consumedMws + change.consumedMws
    const producedMws = head.producedMws + change.producedMws
    refuseImpossible(consumedMws)
    refuseImpossible(producedMws)
    const cost = head.cost + change.cost
    if (Math.abs(cost) > maximumCost) refuse(`the switch's cost would be more than ${maximumCost}`)
    const atMs = event.timestamp.getTime()
    const entry: LedgerEntry = {
      _id: new ObjectId(),
      formatVersion: entryFormatVersion,
      sequence: head.sequence + 1,
      switchId: event.switchId,
      deviceId: event.deviceId,
      classroom: event.classroom,
      // Copies: whoever changes a date after the call must not part the entry from its hash.
      timestamp: new Date(atMs),
      receivedAt: new Date(event.receivedAt.getTime()),
      eventType: event.eventType,
      powerState: event.powerState,
      powerRating: event.powerRating,
      energySource: event.energySource,
      energyDirection: event.energyDirection,
      reading: event.reading,
      adjustment: event.adjustment,
      erases: event.erases,
      gapLimitMs: event.gapLimitMs,
      silentSince: event.silentSince && new Date(event.silentSince.getTime()),
      ratePerKwh: event.ratePerKwh,
      flags: atMs < head.newestMs ? withLate(event.flags) : event.flags,
      metadata: event.metadata,
      personalCommitment: event.personalCommitment,
      idempotencyKey: event.idempotencyKey,
      cumulativeEnergy: consumedMws / 1000,
      cumulativeProduction: producedMws / 1000,
      calculatedCost: cost,
      previousHash: head.hash,
      hash: '',
    }
    entry.hash = generateHash(entry)
    const newestMs = Math.max(head.newestMs, atMs)
    this.#head = { sequence: entry.sequence, hash: entry.hash, consumedMws, producedMws, cost, newestMs }
    if (fact !== undefined) {
      this.#unstored.push(fact)
      this.#recent.add(fact)
    }
    return entry
  }

  /** What the fact changes, if its place in time is known: after the newest, or where the last late one fell. */
  #knownChange(fact: Fact): RegisterChange | undefined {
    if (this.#meter === undefined) return undefined
    if (this.#meter.isNext(fact)) return sumOf(this.#meter.take([fact]))
    // Counter readings decide about each other: two of them do not do.
    const around = fact.counter === undefined ? (this.#recent.neighboursOf(fact) ?? this.#gapAround(fact)) : undefined
    if (around === undefined || around.before.counter !== undefined || around.after.counter !== undefined)
      return undefined
    this.#gap = { before: fact, after: around.after }
    return changeAmong([around.before, around.after], fact)
  }

  #gapAround(fact: Fact) {
    const gap = this.#gap
    if (gap === undefined || compareFacts(gap.before, fact) >= 0 || compareFacts(fact, gap.after) >= 0) return undefined
    return gap
  }

  async #lookedUpChange(fact: Fact): Promise<RegisterChange> {
    this.#meter ??= await this.#newMeter()
    const known = this.#knownChange(fact) ?? (await this.#changeAmongRecent(fact))
    if (known !== undefined) return known
    const { facts, toTheEnd } = await this.#facts.around(this.#switchId, fact, this.#beside())
    const after = facts.find((other) => compareFacts(fact, other) < 0)
    // Counter readings decide about each other, so those behind it would not be decided by it alone.
    this.#gap = after === undefined || fact.counter !== undefined ? undefined : { before: fact, after }
    if (toTheEnd && this.#meter.last?.counter !== undefined) this.#meter = undefined
    return changeAmong(facts, fact)
  }

  /** Learns the facts since the late one: others that are as late will need no query. */
  async #changeAmongRecent(fact: Fact): Promise<RegisterChange | undefined> {
    if (fact.counter !== undefined) return undefined
    const recent = await this.#facts.backTo(this.#switchId, fact, this.#beside())
    if (recent === undefined) return undefined
    this.#recent = new RecentFacts(recent)
    return this.#knownChange(fact)
  }

  async #newMeter(): Promise<SwitchMeter> {
    const meter = new SwitchMeter()
    const newest = await this.#facts.newest(this.#switchId, this.#beside())
    meter.take(newest)
    this.#recent = new RecentFacts(newest)
    return meter
  }

  #beside() {
    return { unstored: this.#unstored, session: this.#session }
  }
}

function withLate(flags: readonly EntryFlag[]): EntryFlag[] {
  return flags.includes('late') ? [...flags] : [...flags, 'late']
}

/** @throws ValidationError if the register cannot be written to the milliwatt-second any more. */
function refuseImpossible(registerMws: number): void {
  if (Math.abs(registerMws) / 1000 <= maximumRegisterWs) return
  refuse(`the switch's energy would be more than ${maximumRegisterWs} W·s`)
}

function refuse(message: string): never {
  throw new ValidationError('The ledger event', [{ path: '', message, received: 'number' }])
}
