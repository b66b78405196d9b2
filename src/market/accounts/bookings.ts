import { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { MarketArea } from '../area.js'
import { decimalOf, moneyPlaces, unitsOf } from '../decimal.js'
import { type AccountKind, type Counter, counters, type MarketAccount } from './account.js'
import type { JournalLine, JournalReason, MarketJournal } from './journal.js'
import { journalHashOf } from './journal-hash.js'

export interface BookingCollections {
  readonly accounts: EntityCollection<MarketAccount>
  readonly journals: EntityCollection<MarketJournal>
}

type Counts = Record<Counter, bigint>

interface Sheet {
  readonly _id: ObjectId
  readonly kind: AccountKind
  readonly user: ObjectId | undefined
  readonly isNew: boolean
  readonly creditLimit: bigint
  readonly before: Counts
  readonly moved: Counts
}

/** Whose account: a user's, by their id, or one of the area. */
export type Holder = ObjectId | Exclude<AccountKind, 'user'>

const houseKinds = ['clearing', 'fees', 'outside'] as const

/**
 * What a batch books: kept here until it is written, once for each account, with one journal. Under the lease of the area nobody else
 * moves its accounts, so what was read is so until then.
 */
export class Bookings {
  readonly #area: ObjectId
  readonly #collections: BookingCollections
  readonly #sheets = new Map<string, Sheet>()
  readonly #lines: JournalLine[] = []

  constructor(area: ObjectId, collections: BookingCollections) {
    this.#area = area
    this.#collections = collections
  }

  /** Reads the accounts of users, and those of the area; one that is not there is made when it is moved. */
  async load(users: Iterable<ObjectId>): Promise<void> {
    const unknown = new Map([...users].map((user) => [user.toHexString(), user]))
    for (const key of unknown.keys()) if (this.#sheets.has(key)) unknown.delete(key)
    const isFirst = this.#sheets.size === 0
    if (!isFirst && unknown.size === 0) return
    const wanted = [
      ...(unknown.size > 0 ? [{ area: this.#area, kind: 'user', user: { $in: [...unknown.values()] } }] : []),
      ...(isFirst ? [{ area: this.#area, kind: { $in: houseKinds } }] : []),
    ]
    const found = await this.#collections.accounts.for('market').find({ $or: wanted })
    for (const account of found) this.#sheets.set(account.user?.toHexString() ?? account.kind, sheetOf(account))
    if (isFirst) for (const kind of houseKinds) this.#addMissing(kind, kind, undefined)
    for (const [key, user] of unknown) this.#addMissing(key, 'user', user)
  }

  /** Whether the account of a user was read. */
  has(user: ObjectId): boolean {
    return this.#sheets.has(user.toHexString())
  }

  /** What a user may still pay or reserve. The account was read by {@link load}. */
  available(user: ObjectId): bigint {
    const { before, moved, creditLimit } = this.#sheetOf(user)
    const now = (counter: Counter) => before[counter] + moved[counter]
    return now('creditsPosted') + creditLimit - now('debitsPosted') - now('debitsPending')
  }

  /** Holds an amount of a user ready; a negative one is given back. */
  reserve(user: ObjectId, amount: bigint, subject: ObjectId): void {
    const reason = amount < 0n ? 'release' : 'reserve'
    this.#move(user, 'debitsPending', amount, reason, subject)
    this.#move('clearing', 'creditsPending', amount, reason, subject)
  }

  /** Moves an amount for good; a negative one goes the other way. */
  pay(from: Holder, to: Holder, amount: bigint, reason: JournalReason, subject: ObjectId): void {
    // What was posted stays: money goes back by a payment of its own.
    const [payer, payee, units] = amount < 0n ? [to, from, -amount] : [from, to, amount]
    this.#move(payer, 'debitsPosted', units, reason, subject)
    this.#move(payee, 'creditsPosted', units, reason, subject)
  }

  /** Writes the accounts and the journal. Part of the caller's transaction. @returns what the area's document has of its last journal. */
  async write({ journalSequence, journalHash }: MarketArea, at: Date): Promise<JournalHead> {
    if (this.#lines.length === 0) return { journalSequence, journalHash }
    const moved = [...this.#sheets.values()].filter((sheet) => counters.some((counter) => sheet.moved[counter] !== 0n))
    await this.#collections.accounts.for('market').bulkWrite(moved.map((sheet) => this.#writeOf(sheet)))
    const sequence = journalSequence + 1
    const unhashed = { area: this.#area, sequence, at, lines: this.#lines, previousHash: journalHash }
    const hash = journalHashOf(unhashed)
    await this.#collections.journals.for('market').insertOne({ ...unhashed, hash })
    return { journalSequence: sequence, journalHash: hash }
  }

  #writeOf({ _id, isNew, kind, user, before, moved, creditLimit }: Sheet): StoreWrite<MarketAccount> {
    const decimals = (units: (counter: Counter) => bigint) =>
      Object.fromEntries(counters.map((counter) => [counter, decimalOf(units(counter), moneyPlaces)]))
    if (!isNew) return { update: { _id, area: this.#area }, by: { $inc: decimals((counter) => moved[counter]) } }
    const counts = decimals((counter) => before[counter] + moved[counter]) as Record<
      Counter,
      ReturnType<typeof decimalOf>
    >
    const identity = { _id, area: this.#area, kind, ...(user === undefined ? {} : { user }) }
    return { insert: { ...identity, ...counts, creditLimit: decimalOf(creditLimit, moneyPlaces) } }
  }

  #move(holder: Holder, counter: Counter, amount: bigint, reason: JournalReason, subject: ObjectId): void {
    if (amount === 0n) return
    const sheet = this.#sheetOf(holder)
    sheet.moved[counter] += amount
    this.#lines.push({ account: sheet._id, counter, amount: decimalOf(amount, moneyPlaces), reason, subject })
  }

  #sheetOf(holder: Holder): Sheet {
    const sheet = this.#sheets.get(String(holder))
    if (sheet === undefined) throw new Error(`The account of ${String(holder)} was not loaded`)
    return sheet
  }

  #addMissing(key: string, kind: AccountKind, user: ObjectId | undefined): void {
    if (this.#sheets.has(key)) return
    const none = { _id: new ObjectId(), kind, user, isNew: true, creditLimit: 0n }
    this.#sheets.set(key, { ...none, before: zeros(), moved: zeros() })
  }
}

/** What the area's document has of its last journal. */
export type JournalHead = Pick<MarketArea, 'journalSequence' | 'journalHash'>

function sheetOf(account: MarketAccount): Sheet {
  const { _id, kind, user } = account
  const before = zeros()
  for (const counter of counters) before[counter] = unitsOf(account[counter], moneyPlaces)
  const creditLimit = unitsOf(account.creditLimit, moneyPlaces)
  return { _id, kind, user, isNew: false, creditLimit, before, moved: zeros() }
}

function zeros(): Counts {
  return { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n }
}
