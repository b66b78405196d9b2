import type { Document, Filter, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import { type Fact, type FactEntry, factFields, factOf, inOrder } from '../../ledger/facts/fact.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { TimeRange } from '../switch-energy.js'
import { isRegister, type Register, registerBoot, registerOf } from './register-entry.js'

/** Recorded: what the ledger says of a switch in a range. */
export interface Recorded {
  /** The newest revision of each, by its instant. */
  readonly registers: ReadonlyMap<number, Register>
  /** What else says something about energy: readings of a time in which all of them were recorded. In order. */
  readonly facts: readonly Fact[]
}

type Read = FactEntry & Pick<LedgerEntry, 'flags'>

const saySomething = { eventType: { $nin: ['manual_adjustment', 'erasure'] } }
const notRegisters = { 'metadata.bootId': { $ne: registerBoot } }

/** Reads what the ledger has of a switch, from the primary: what a register replaces must not be overlooked. */
export class RegisterLedger {
  readonly #database: Database
  readonly #ledger: Ledger

  constructor(database: Database, ledger: Ledger) {
    this.#database = database
    this.#ledger = ledger
  }

  async recorded(switchId: ObjectId, span: TimeRange): Promise<Recorded> {
    const entries = await this.#read(switchId, span, saySomething, { timestamp: 1 })
    const registers = new Map<number, Register>()
    const facts: Fact[] = []
    for (const entry of entries) {
      if (!isRegister(entry)) {
        const fact = factOf(entry)
        if (fact !== undefined) facts.push(fact)
        continue
      }
      const register = registerOf(entry)
      const known = registers.get(register.atMs)
      if (known === undefined || known.revision < register.revision) registers.set(register.atMs, register)
    }
    return { registers, facts: inOrder(facts) }
  }

  /** Facts other than registers, from the end of the range back, or from its start on: whole instants of so many entries. */
  async facts(
    switchId: ObjectId,
    span: TimeRange,
    direction: 1 | -1,
    limit: number,
  ): Promise<{ readonly facts: readonly Fact[]; readonly areAll: boolean }> {
    const filter = { ...saySomething, ...notRegisters }
    const entries = await this.#read(switchId, span, filter, { timestamp: direction }, limit)
    const lastMs = entries.at(-1)?.timestamp.getTime()
    // What is cut off may be of the last instant.
    const areAll = entries.length < limit
    const whole = areAll ? entries : entries.filter(({ timestamp }) => timestamp.getTime() !== lastMs)
    return { facts: inOrder(whole.flatMap((entry) => factOf(entry) ?? [])), areAll }
  }

  async #read(
    switchId: ObjectId,
    { fromMs, toMs }: TimeRange,
    filter: Document,
    sort: { readonly timestamp: 1 | -1 },
    limit = 0,
  ): Promise<Read[]> {
    const { entity } = this.#ledger
    const timestamp = { $gte: new Date(fromMs), $lt: new Date(toMs) }
    return this.#database.run(entity, 'registers', () =>
      this.#database.native
        .collection<LedgerEntry>(entity.collection, { readPreference: 'primary' })
        .find({ switchId, timestamp, ...filter } as Filter<LedgerEntry>, { projection: { ...factFields, flags: 1 } })
        .sort(sort)
        .limit(limit)
        .toArray(),
    ) as Promise<Read[]>
  }
}
