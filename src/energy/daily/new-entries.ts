import type { Database } from '../../core/database.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { StaleReadError } from '../../core/retry-on-conflict.js'
import type { Fact } from '../../ledger/facts/fact.js'
import { partTheirNeighbours } from '../../ledger/facts/fact-run.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import type { Ledger } from '../../ledger/ledger.js'
import { addChange } from '../roll-ups/chain-change.js'
import { areAllThere, entriesAtOnce, type FreshChain, inBatches, readFresh } from '../roll-ups/fresh-entries.js'
import { noProgress } from '../roll-ups/roll-up-cursor.js'
import { type ChainEnd, type ChainQuestion, endOf, newTally } from './chain-question.js'
import type { LedgerChain } from './ledger-chains.js'

/** What is left to do for chains. */
interface AfterNewEntries {
  readonly ends: readonly ChainEnd[]
  /** Some of their new entries are archived, so that only their range can be read. */
  readonly archived: readonly LedgerChain[]
}

/** As much of a chain's new entries as is read at a time. */
interface Part extends FreshChain {
  readonly chain: LedgerChain
  /** The meter that stands before them; undefined where it has to be found. */
  readonly meter: SwitchMeter | undefined
}

const chainsAtOnce = 8

/**
 * Adds what new entries change, late ones included, as it will be added to the roll-ups: the energy with them less the energy
 * without them.
 * @throws StaleReadError if entries are archived while they are read.
 */
export async function addNewEntries(
  database: Database,
  { entity, facts }: Pick<Ledger, 'entity' | 'facts'>,
  question: ChainQuestion,
  chains: readonly LedgerChain[],
): Promise<AfterNewEntries> {
  const ends: ChainEnd[] = []
  const archived: LedgerChain[] = []
  let parts = chains.map((chain) => partOf(chain, chain.progress.through, meterAfter(chain.progress.lastFact)))
  while (parts.length > 0) {
    const next: Part[] = []
    for (const batch of inBatches(parts)) {
      const fresh = await database.run(entity, 'energy', () => readFresh(database.native, entity.collection, batch))
      await forEachConcurrently(fresh, chainsAtOnce, async (part) => {
        const { chain, switchId, through, head } = part
        if (!areAllThere(part)) {
          if (through !== chain.progress.through) throw new StaleReadError()
          archived.push({ ...chain, progress: noProgress })
          return
        }
        const tally = newTally(question)
        const meter = await addChange(tally, facts, part, part.meter)
        question.totals.addTallies(tally.days.values())
        if (head < chain.head) next.push(partOf(chain, head, meter))
        else if (meter?.end === undefined) ends.push(...endOf(chain))
        else ends.push({ switchId, last: meter.end, isPending: meter.isPending })
      })
    }
    parts = next
  }
  return { ends, archived }
}

function partOf(chain: LedgerChain, through: number, meter: SwitchMeter | undefined): Part {
  const head = Math.min(chain.head, through + entriesAtOnce)
  return { chain, switchId: chain.switchId, through, head, meter }
}

/** A meter that has taken the newest fact; undefined where what came before that matters too. */
function meterAfter(last: Fact | undefined): SwitchMeter | undefined {
  if (last === undefined || !partTheirNeighbours([last])) return undefined
  const meter = new SwitchMeter()
  meter.take([last])
  return meter
}
