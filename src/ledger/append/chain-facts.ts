import type { ClientSession, ObjectId } from 'mongodb'
import type { Fact } from '../facts/fact.js'
import type { FactStore } from '../facts/fact-store.js'
import { type FactWindow, joined, type TimeSpan } from '../facts/fact-windows.js'
import { allOfTime, KnownFacts } from '../facts/known-facts.js'
import type { RegisterChange } from '../facts/register.js'

/** A third of the shortest gap limit: a reporting period. */
const firstReachMs = 20_000
const reachesMs = [250, 100 * 86_400_000] as const

/**
 * What a chain's writer knows of the switch's energy: it up to the newest fact, and windows of facts, so that one that comes
 * in order, or late into a window, costs no query.
 */
export class ChainFacts {
  readonly switchId: ObjectId
  readonly #session: ClientSession | undefined
  readonly #store: FactStore
  readonly #known: KnownFacts
  /** Facts of entries that are built but not stored yet: the store does not know them. */
  #unstored: Fact[] = []
  /** ms; so far around a late fact others are likely to be found. */
  #reachMs = firstReachMs

  private constructor(switchId: ObjectId, store: FactStore, session: ClientSession | undefined, known: FactWindow) {
    this.switchId = switchId
    this.#store = store
    this.#session = session
    this.#known = new KnownFacts(known)
  }

  /** Those of a chain without entries. */
  static none(switchId: ObjectId, store: FactStore, session: ClientSession | undefined): ChainFacts {
    return new ChainFacts(switchId, store, session, allOfTime)
  }

  static async load(switchId: ObjectId, store: FactStore, session: ClientSession | undefined): Promise<ChainFacts> {
    const { facts, known } = await store.newest(switchId, { unstored: [], session })
    const loaded = new ChainFacts(switchId, store, session, known)
    loaded.#known.standAfter(facts)
    return loaded
  }

  /** How many facts are kept. */
  get size(): number {
    return this.#known.windows.size
  }

  /** What the fact changes, if its place in time is known. */
  knownChange(fact: Fact): RegisterChange | undefined {
    return this.#known.changeOf(fact)
  }

  /** What the fact changes, with a look into the database. */
  async lookedUpChange(fact: Fact): Promise<RegisterChange> {
    if (!this.#known.isStanding) await this.#readMeter()
    const change = this.knownChange(fact)
    if (change !== undefined) return change
    const around = await this.#store.around(this.switchId, fact, this.#beside)
    this.#known.windows.learn([around.known])
    return this.#known.changeAmong(around, fact)
  }

  /** @throws DatabaseError `ARCHIVED` if entries of the instant may be archived. */
  refuseArchived(atMs: number): Promise<void> {
    return this.#store.refuseArchived(this.switchId, atMs, this.#beside)
  }

  /** Takes down the fact of an entry that was built. */
  add(fact: Fact): void {
    this.#unstored.push(fact)
    this.#known.windows.add(fact)
  }

  /** To be called when what was built has been stored. */
  stored(): void {
    if (this.#unstored.length > 0) this.#unstored = []
    this.#known.windows.trim()
  }

  /**
   * Forgets what was built and not stored, and takes over what others have appended.
   * @returns false if it has to be loaded anew.
   */
  takeOver(facts: readonly Fact[]): boolean {
    const { windows } = this.#known
    windows.keepNewest(this.#unstored)
    this.#unstored = []
    // Without one that is known, nobody can say what lies between the new ones and those before them.
    if (windows.newest.facts.length === 0) return false
    windows.addOfOthers(facts)
    return this.#known.standAnew()
  }

  /** Whether the fact comes among the newest ones, or after them. */
  isRecent(fact: Fact): boolean {
    return this.#known.windows.isRecent(fact)
  }

  /** Whether the facts around the fact are known. */
  isPlaced(fact: Fact): boolean {
    return this.#known.windows.around(fact) !== undefined
  }

  /** What should be read to know more of what is around these facts, in ranges apart from each other. */
  lacking(facts: readonly Fact[]): TimeSpan[] {
    return joined(facts.flatMap((fact) => this.#known.windows.lacking(fact, this.#reachMs)))
  }

  changeReach(factor: number): void {
    const [shortestMs, longestMs] = reachesMs
    this.#reachMs = Math.min(longestMs, Math.max(shortestMs, Math.ceil(this.#reachMs * factor)))
  }

  /** Learns facts that were read, of stretches apart from each other. */
  learn(windows: readonly FactWindow[]): void {
    this.#known.windows.learn(windows)
  }

  /** Forgets all but the newest facts. */
  forgetOld(): void {
    this.#known.windows.keepNewest([])
  }

  /** Forgets what may be archived. */
  forgetUntil(untilMs: number): void {
    this.#known.windows.forgetUntil(untilMs)
  }

  get #beside() {
    return { unstored: this.#unstored, session: this.#session }
  }

  async #readMeter(): Promise<void> {
    const { facts, known } = await this.#store.newest(this.switchId, this.#beside)
    this.#known.windows.learn([known])
    this.#known.standAfter(facts)
  }
}
