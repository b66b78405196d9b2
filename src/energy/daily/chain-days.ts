import type { Database } from '../../core/database.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import type { Ledger } from '../../ledger/ledger.js'
import { adjustmentsOf } from '../adjustments.js'
import { switchStretches, type TimeRange } from '../switch-energy.js'
import { addEnds, type ChainQuestion, endOf, newTally } from './chain-question.js'
import type { LedgerChain } from './ledger-chains.js'
import { addNewEntries } from './new-entries.js'

const chainsAtOnce = 8
/** So few new entries are read without asking whether the range has fewer. */
const fewEntries = 1000

/**
 * Adds what the roll-ups do not have of chains: what entries change that came since, and what a rated switch has used since
 * its last entry.
 */
export class ChainDays {
  readonly #database: Database
  readonly #ledger: Ledger

  constructor(database: Database, ledger: Ledger) {
    this.#database = database
    this.#ledger = ledger
  }

  async addTo(question: ChainQuestion, chains: readonly LedgerChain[]): Promise<void> {
    const entire: LedgerChain[] = []
    const byEntries: LedgerChain[] = []
    const byRange: LedgerChain[] = []
    await forEachConcurrently(chains, chainsAtOnce, async (chain) => {
      if (chain.progress.through === chain.head) entire.push(chain)
      else if (await this.#isRangeLess(chain, question.range)) byRange.push(chain)
      else byEntries.push(chain)
    })
    const { ends, archived } = await addNewEntries(this.#database, this.#ledger, question, byEntries)
    addEnds(question, [...entire.flatMap(endOf), ...ends])
    await this.#addRanges(question, [...byRange, ...archived])
  }

  /** Whether reading the range, with the new entries and without them, is less than reading the new entries. */
  async #isRangeLess({ switchId, head, progress }: LedgerChain, { fromMs, toMs }: TimeRange): Promise<boolean> {
    // What a caller's transaction has appended can be read in its session only.
    if (progress.through === 0 || this.#database.transactions.session !== undefined) return true
    const count = head - progress.through
    if (count <= fewEntries) return false
    // Of a chain that is archived the range may not be there any more.
    if ((await this.#ledger.facts.archivedUntilMs(switchId)) !== undefined) return false
    const filter = { switchId, timestamp: { $gte: new Date(fromMs), $lt: new Date(toMs) } }
    const limit = Math.ceil(count / 2)
    const [found] = await this.#database
      .of(this.#ledger.entity)
      .for('energy')
      .aggregate<{ inRange: number }>([{ $match: filter }, { $limit: limit }, { $count: 'inRange' }], {
        hint: { switchId: 1, timestamp: 1 },
      })
    return (found?.inRange ?? 0) < limit
  }

  /** What entries of the range come to, less what those of them come to that are in the roll-ups. */
  async #addRanges(question: ChainQuestion, chains: readonly LedgerChain[]): Promise<void> {
    if (chains.length === 0) return
    await forEachConcurrently(chains, chainsAtOnce, (chain) => this.#addRange(question, chain))
    await this.#addAdjustments(question, chains)
  }

  async #addRange(question: ChainQuestion, { switchId, head, progress }: LedgerChain): Promise<void> {
    const { range, signsOfLife, totals } = question
    const { facts } = this.#ledger
    const id = switchId.toHexString()
    const tally = newTally(question)
    const meter = new SwitchMeter()
    const withThem = switchStretches(facts, switchId, range, signsOfLife.get(id), meter, head)
    for await (const found of withThem) tally.add(id, found, 1)
    if (meter.isPending && meter.last !== undefined) totals.wait(switchId, meter.last)
    if (progress.through > 0) {
      const without = switchStretches(facts, switchId, range, undefined, new SwitchMeter(), progress.through)
      for await (const found of without) tally.add(id, found, -1)
    }
    totals.addTallies(tally.days.values())
  }

  async #addAdjustments(question: ChainQuestion, chains: readonly LedgerChain[]): Promise<void> {
    const byId = new Map(chains.map((chain) => [chain.switchId.toHexString(), chain]))
    const tally = newTally(question)
    for (const adjusted of await adjustmentsOf(this.#database, this.#ledger, question.range)) {
      const id = adjusted.switchId.toHexString()
      const chain = byId.get(id)
      if (chain === undefined || adjusted.sequence <= chain.progress.through) continue
      if (adjusted.sequence > chain.head) continue
      tally.adjust(id, adjusted, adjusted.timestamp.getTime(), adjusted.adjustment)
    }
    question.totals.addTallies(tally.days.values())
  }
}
