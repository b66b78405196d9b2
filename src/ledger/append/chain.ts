import { type ClientSession, ObjectId } from 'mongodb'
import { ValidationError } from '../../core/errors.js'
import type { LedgerEvent } from '../entry/entry.js'
import type { UnhashedEntry } from '../entry/entry-bytes.js'
import { type EntryFlag, entryFlags, maximumRegisterWs } from '../entry/entry-limits.js'
import { entryFormatVersion } from '../entry/format-version.js'
import { type SealedEntry, seal } from '../entry/seal.js'
import { type Fact, factOf } from '../facts/fact.js'
import type { FactStore } from '../facts/fact-store.js'
import { adjustmentOf, type RegisterChange } from '../facts/register.js'
import { ChainFacts } from './chain-facts.js'
import { type ChainHead, emptyHead, headOf } from './chain-head.js'
import type { ChainPosition, ChainStore, Following } from './chain-store.js'

/** Currency units; the validator takes no more. */
const maximumCost = 1e12

/** Stores: where a chain reads what it does not know. */
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
  #head: ChainHead
  /** What of it is in the database, as far as it is known. */
  #stored: ChainHead
  readonly facts: ChainFacts

  private constructor(head: ChainHead, facts: ChainFacts) {
    this.#switchId = facts.switchId
    this.#head = head
    this.#stored = head
    this.facts = facts
  }

  static async load(switchId: ObjectId, stores: Stores, session: ClientSession | undefined): Promise<Chain> {
    const head = await stores.chains.head(switchId, session)
    if (head === null) return new Chain(emptyHead, ChainFacts.none(switchId, stores.facts, session))
    const isNewest = !head.flags.includes('late')
    const newestMs = isNewest ? head.timestamp.getTime() : await stores.chains.newestMs(switchId, session)
    return new Chain(headOf(head, newestMs), await ChainFacts.load(switchId, stores.facts, session))
  }

  /** The latest time of an entry, epoch milliseconds. */
  get newestMs(): number {
    return this.#head.newestMs
  }

  /** The entry that the event becomes at the end of the chain, if that takes no look into the database. */
  extendInOrder(event: LedgerEvent): SealedEntry | undefined {
    const fact = factOf(event)
    const change = fact === undefined ? this.#adjustmentInOrder(event) : this.facts.knownChange(fact)
    return change === undefined ? undefined : this.#append(event, fact, change)
  }

  /** The entry that the event becomes at the end of the chain. */
  async extend(event: LedgerEvent): Promise<SealedEntry> {
    const fact = factOf(event)
    const change = fact === undefined ? await this.#lookedUpAdjustment(event) : await this.facts.lookedUpChange(fact)
    return this.#append(event, fact, change)
  }

  #adjustmentInOrder(event: LedgerEvent): RegisterChange | undefined {
    return event.timestamp.getTime() < this.#head.newestMs ? undefined : adjustmentOf(event)
  }

  /** One of so long ago may have its entry in an archive, where its idempotency key is not seen. */
  async #lookedUpAdjustment(event: LedgerEvent): Promise<RegisterChange> {
    await this.facts.refuseArchived(event.timestamp.getTime())
    return adjustmentOf(event)
  }

  /** The number of the last entry that is stored, as far as the chain knows. */
  get storedSequence(): number {
    return this.#stored.sequence
  }

  /** The last entry that is stored, as far as the chain knows. */
  get storedPosition(): ChainPosition {
    return { switchId: this.#switchId, sequence: this.#stored.sequence }
  }

  /** To be called when what was built has been stored. */
  stored(): void {
    this.#stored = this.#head
    this.facts.stored()
  }

  /**
   * Forgets what was built and not stored, and takes over what others have appended: one query for many chains, where each
   * that is loaded anew takes three.
   * @param following All after {@link storedPosition}; undefined if there is nothing.
   * @returns false if it has to be loaded anew.
   */
  takeOver(following: Following | undefined): boolean {
    const entries = following?.entries ?? []
    const newestMs = Math.max(this.#stored.newestMs, ...entries.map(({ timestamp }) => timestamp.getTime()))
    if (following !== undefined) this.#stored = headOf(following.last, newestMs)
    this.#head = this.#stored
    return this.facts.takeOver(entries.flatMap((entry) => factOf(entry) ?? []))
  }

  #append(event: LedgerEvent, fact: Fact | undefined, change: RegisterChange): SealedEntry {
    const head = this.#head
    const consumedMws = head.consumedMws + change.consumedMws
    const producedMws = head.producedMws + change.producedMws
    refuseImpossible(consumedMws)
    refuseImpossible(producedMws)
    const cost = head.cost + change.cost
    if (Math.abs(cost) > maximumCost) refuse(`the switch's cost would be more than ${maximumCost}`)
    const atMs = event.timestamp.getTime()
    const unhashed: UnhashedEntry = {
      _id: new ObjectId(),
      formatVersion: entryFormatVersion,
      sequence: head.sequence + 1,
      switchId: event.switchId,
      deviceId: event.deviceId,
      classroom: event.classroom,
      // Copies: a date that the caller changes later must not part the entry from its hash.
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
      flags: flagsOf(event, head),
      metadata: event.metadata,
      personalCommitment: event.personalCommitment,
      idempotencyKey: event.idempotencyKey,
      cumulativeEnergy: consumedMws / 1000,
      cumulativeProduction: producedMws / 1000,
      calculatedCost: cost,
      previousHash: head.hash,
    }
    const sealed = seal(unhashed)
    const { sequence, deviceId, classroom, hash } = sealed.entry
    const place = isAt(head, event) ? head.place : { deviceId, classroom }
    const newestMs = Math.max(head.newestMs, atMs)
    this.#head = { sequence, hash, place, consumedMws, producedMws, cost, newestMs }
    if (fact !== undefined) this.facts.add(fact)
    return sealed
  }
}

/** What the event says of itself, and what follows from its place in the chain: each once, in one order. */
function flagsOf(event: LedgerEvent, head: ChainHead): EntryFlag[] {
  const isLate = event.timestamp.getTime() < head.newestMs
  const isPlaced = !isAt(head, event)
  if (event.flags.length === 0 && !isLate && !isPlaced) return []
  const flags = new Set<EntryFlag>(event.flags)
  if (isLate) flags.add('late')
  if (isPlaced) flags.add('placed')
  return entryFlags.filter((flag) => flags.has(flag))
}

/** Whether the event is of the device and classroom that the last entry is of. */
function isAt({ place }: ChainHead, { deviceId, classroom }: LedgerEvent): boolean {
  return place?.deviceId.equals(deviceId) === true && place.classroom.equals(classroom)
}

/** @throws ValidationError if the register cannot be written to the milliwatt-second any more. */
function refuseImpossible(registerMws: number): void {
  if (Math.abs(registerMws) / 1000 <= maximumRegisterWs) return
  refuse(`the switch's energy would be more than ${maximumRegisterWs} W·s`)
}

function refuse(message: string): never {
  throw new ValidationError('The ledger event', [{ path: '', message, received: 'number' }])
}
