import type { ChainStart } from '../audit/chain-pass.js'
import { classifyChain, type EntrySummary, summaryOf } from '../audit/classify-chain.js'
import type { SignedChain } from '../audit/evidence.js'
import type { Finding } from '../audit/finding.js'
import { genesisHash } from '../entry/hash.js'
import { chainKey, switchIdOf } from '../entry/stored-bytes.js'
import { exportedEntry, parseLine } from './line.js'

/** The tree of a file is compared as a whole. */
const unsigned: SignedChain = { hashes: new Map(), through: 0 }

/** Collects the entries of chains that are not known to be sound, to say how they are damaged. */
export class SecondLook {
  readonly #suspects: ReadonlySet<string>
  readonly #starts: ReadonlyMap<string, ChainStart>
  readonly #summaries = new Map<string, EntrySummary[]>()

  constructor(suspects: ReadonlySet<string>, starts: ReadonlyMap<string, ChainStart>) {
    this.#suspects = suspects
    this.#starts = starts
  }

  /** Takes a line of a file. */
  take(bytes: Buffer): void {
    const line = parseLine(bytes)
    const entry = typeof line?.entry === 'string' ? exportedEntry(line.entry) : undefined
    const summary = entry && summaryOf(entry)
    if (entry === undefined || summary === undefined || !this.#suspects.has(chainKey(entry))) return
    const chain = chainKey(entry)
    const others = this.#summaries.get(chain)
    if (others === undefined) this.#summaries.set(chain, [summary])
    else others.push(summary)
  }

  *findings(): Generator<Finding, void, undefined> {
    for (const chain of this.#suspects) {
      const switchId = switchIdOf(chain)
      const start = this.#starts.get(chain) ?? { sequence: 0, hash: genesisHash }
      const findings = classifyChain(this.#summaries.get(chain) ?? [], { switchId, start, signed: unsigned })
      // Nothing changes a file while it is read: a chain that was not sound before is not sound now.
      if (findings.length > 0) yield* findings
      else yield { damage: 'unexplained', where: 'entry', switchId, expected: 'a sound chain', found: 'another one' }
    }
  }
}
