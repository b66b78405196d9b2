import { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { type StoredBytes, sequenceOf, switchIdOf } from '../entry/stored-bytes.js'
import { documentsOf, scanRaw } from '../raw-scan.js'
import type { ChainPass, FollowedChain } from './chain-pass.js'
import type { Finding } from './finding.js'
import { RegisterCheck } from './register-check.js'

export interface RegisterPassParts {
  readonly database: Database
  /** The collection of the entries. */
  readonly entries: string
  /** Before which instants entries may be archived, by chain. */
  readonly archivedUntilMs: ReadonlyMap<string, number>
  readonly signal: AbortSignal | undefined
}

/** Findings of a chain that are kept while its entries pass by. */
const mostKept = 1000

/** The registers of a chain, recomputed while its entries pass by. */
class PassingRegisters {
  readonly findings: Finding[] = []
  /** Whether facts were needed that had passed by: its entries are to be read by themselves, in their order. */
  isToBeReadAgain = false
  archived = 0
  readonly #check: RegisterCheck

  constructor(check: RegisterCheck) {
    this.#check = check
  }

  readAgain(): void {
    this.isToBeReadAgain = true
  }

  take(entry: StoredBytes): void {
    if (this.isToBeReadAgain) return
    const verdict = this.#check.take(entry)
    if (verdict === 'right') return
    if (verdict === 'forgotten') this.isToBeReadAgain = true
    else if (verdict === 'archived') this.archived += 1
    else this.findings.push(verdict)
    // More are found as they are read again, and need not be kept.
    if (this.findings.length > mostKept) this.isToBeReadAgain = true
  }
}

/**
 * Recomputes the registers of all chains. Most are done while their entries pass by, with a few facts of each in memory. Those
 * with entries that came long after they happened, or that are not stored in their order, are read again, one after the other.
 */
export class RegisterPass {
  /** Entries whose registers rest on facts that are archived. */
  archived = 0
  readonly #parts: RegisterPassParts
  readonly #chains = new Map<string, PassingRegisters>()

  constructor(parts: RegisterPassParts) {
    this.#parts = parts
  }

  of(chain: string): PassingRegisters {
    const registers = new PassingRegisters(RegisterCheck.ofNewest(this.#parts.archivedUntilMs.get(chain)))
    this.#chains.set(chain, registers)
    return registers
  }

  /**
   * To be called when all entries have passed by.
   * @param damaged The switches of damaged chains: of what their registers rest on some may be gone.
   */
  async *findings(
    { chains, suspects }: Pick<ChainPass, 'chains' | 'suspects'>,
    damaged: ReadonlySet<string>,
  ): AsyncGenerator<Finding, void, undefined> {
    for (const [chain, { findings, archived, isToBeReadAgain }] of this.#chains) {
      const followed = chains.get(chain)
      if (followed === undefined || damaged.has(switchIdOf(chain))) continue
      if (isToBeReadAgain || suspects.has(chain)) yield* this.#again(chain, followed)
      else {
        this.archived += archived
        yield* findings
      }
    }
  }

  async *#again(chain: string, { startSequence, sequence }: FollowedChain): AsyncGenerator<Finding, void, undefined> {
    const { database, entries, archivedUntilMs, signal } = this.#parts
    const check = RegisterCheck.ofAll(archivedUntilMs.get(chain))
    const query = {
      filter: { switchId: new ObjectId(switchIdOf(chain)), sequence: { $gt: startSequence } },
      sort: { sequence: 1 },
    }
    let next = startSequence + 1
    for await (const batch of scanRaw(database.native, entries, query, signal)) {
      for (const entry of documentsOf(batch)) {
        // Entries that were archived meanwhile are not here any more.
        if (sequenceOf(entry) !== next) break
        next += 1
        const verdict = check.take(entry)
        if (typeof verdict === 'object') yield verdict
        else if (verdict !== 'right') this.archived += 1
      }
    }
    this.archived += Math.max(0, sequence + 1 - next)
  }
}
