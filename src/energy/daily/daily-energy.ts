import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import type { Reader } from '../../core/repository/reader.js'
import { retryStale } from '../../core/retry-on-conflict.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import type { Ledger } from '../../ledger/ledger.js'
import { instantsOf } from '../day-range.js'
import type { DailyAggregate } from '../roll-ups/daily-aggregate.js'
import { LedgerDays } from '../roll-ups/from-ledger.js'
import type { RollUpCursor } from '../roll-ups/roll-up-cursor.js'
import type { DaySpan } from '../roll-ups/slot-tally.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { PricingContexts } from '../tariffs/pricing-context.js'
import { whileUnarchived } from '../while-unarchived.js'
import { ChainDays } from './chain-days.js'
import type { ChainQuestion } from './chain-question.js'
import { type DailyKey, DailyTotals } from './daily-totals.js'
import { type LedgerChain, readChains, requireKnown } from './ledger-chains.js'
import { nothingUnserved, RolledUpDays, type UnservedDays } from './rolled-up-days.js'

export interface DailyEnergyParts {
  readonly ledger: Ledger
  readonly classrooms: Reader<Classroom>
  readonly devices: Reader<Device>
  readonly prices: PriceBookReader
  readonly rollUps: { readonly daily: Entity<DailyAggregate>; readonly cursors: Entity<RollUpCursor> }
}

/** What was read of one moment. */
interface Snapshot {
  readonly question: ChainQuestion
  readonly contexts: PricingContexts
  readonly chains: readonly LedgerChain[]
  readonly unserved: UnservedDays
}

const chainsAtOnce = 4

/**
 * Adds up the energy and cost of days: from the roll-ups what they cover, from the ledger the rest. It comes to what the
 * ledger alone would, to the milliwatt-second and the smallest part of a cent; docs/energy.md says what is covered.
 */
export class DailyEnergy {
  readonly #database: Database
  readonly #parts: DailyEnergyParts
  readonly #rolledUp: RolledUpDays
  readonly #chainDays: ChainDays
  readonly #ledgerDays: LedgerDays

  constructor(database: Database, parts: DailyEnergyParts) {
    this.#database = database
    this.#parts = parts
    this.#rolledUp = new RolledUpDays(database.of(parts.rollUps.daily).for('energy'))
    this.#chainDays = new ChainDays(database, parts.ledger)
    this.#ledgerDays = new LedgerDays(database, parts.ledger)
  }

  /** @throws DatabaseError `ARCHIVED` if entries are needed that are archived. */
  async totals(span: DaySpan, by: DailyKey): Promise<DailyTotals> {
    const read = async () => {
      const snapshot = await this.#database.inSnapshot(() => this.#read(span, by))
      // Entries never change, so what is read of them now, as far as the chains were then, is of that moment too.
      await this.#addUnserved(snapshot)
      await this.#chainDays.addTo(snapshot.question, snapshot.chains)
      return snapshot.question.totals
    }
    return retryStale(this.#database, () => whileUnarchived(this.#database, this.#parts.ledger, read))
  }

  async #read(span: DaySpan, by: DailyKey): Promise<Snapshot> {
    const { ledger, prices, rollUps } = this.#parts
    const contexts = await PricingContexts.withAllClassrooms(this.#parts, await prices.read())
    const range = instantsOf(span, contexts.zones())
    const { chains, areInRollUps } = await readChains(this.#database, ledger, rollUps.cursors)
    requireKnown(chains, range.fromMs)
    const totals = new DailyTotals(span, by, contexts)
    const unserved = areInRollUps ? await this.#rolledUp.addTo(totals, span, by, contexts) : nothingUnserved
    const signsOfLife = await this.#signsOfLife()
    const calendarOf: ChainQuestion['calendarOf'] = (classroom) => contexts.calendarOf(classroom)
    return { question: { totals, span, range, calendarOf, signsOfLife }, contexts, chains, unserved }
  }

  /** Reads from the ledger the days whose roll-ups cannot serve, as far as chains are in the roll-ups. */
  async #addUnserved({ question, contexts, chains, unserved }: Snapshot): Promise<void> {
    const chainOf = new Map(chains.map((chain) => [chain.switchId.toHexString(), chain]))
    await forEachConcurrently(unserved.switches, chainsAtOnce, async ({ switchId, span }) => {
      const chain = chainOf.get(switchId.toHexString())
      if (chain === undefined) return
      const found = await this.#ledgerDays.of([chain], span, contexts.zones(), question.calendarOf)
      question.totals.addTallies(found.filter(({ classroom, day }) => unserved.days.has(classroom, day.date)))
    })
  }

  /** When the device of each switch last reported, epoch milliseconds. */
  async #signsOfLife(): Promise<Map<string, number>> {
    const signs = new Map<string, number>()
    const devices = this.#parts.devices.stream({}, { select: ['switches', 'lastSignOfLifeAt'], withDeleted: true })
    for await (const { switches, lastSignOfLifeAt } of devices) {
      if (lastSignOfLifeAt === undefined) continue
      for (const { _id } of switches) signs.set(_id.toHexString(), lastSignOfLifeAt.getTime())
    }
    return signs
  }
}
