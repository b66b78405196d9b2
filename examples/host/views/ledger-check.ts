import type { AutoVolt } from '@autovolt/data'
import type { Finding, VerificationReport } from '@autovolt/data/ledger'
import type { Tampering } from '../tampering.js'
import { type Names, namesOf, readNames } from './names.js'

/** Verifying reads everything: it is done this often, and less often when it takes long. */
const everyMs = 30_000
const shareOfTime = 0.02
const shownFindings = 10

interface Verified {
  readonly report: VerificationReport
  readonly names: Names
  readonly at: Date
  readonly durationMs: number
  /** When a checkpoint was last kept outside the database. */
  readonly anchoredAt: Date | null
}

/** Verifies the ledger from time to time, and tells what was found last. */
export class LedgerCheck {
  readonly #volt: AutoVolt
  readonly #tampering: Tampering
  readonly #onVerified: () => void
  #last: Verified | undefined
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(volt: AutoVolt, tampering: Tampering, onVerified: () => void) {
    this.#volt = volt
    this.#tampering = tampering
    this.#onVerified = onVerified
  }

  /** Verifies now; a verification that is under way may have begun too early, so another one follows it. */
  async verify(): Promise<void> {
    await this.#running?.catch(() => undefined)
    this.#running = this.#verify()
    await this.#running
  }

  /** Verifies soon, and again and again. */
  start(firstAfterMs: number): void {
    this.#schedule(firstAfterMs)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running?.catch(() => undefined)
  }

  view() {
    const tampering = this.#tampering.alteration
    if (this.#last === undefined)
      return { verified: null, tampering: tampering === null ? null : { ...tampering, names: null } }
    const { report, names, at, durationMs, anchoredAt } = this.#last
    const { valid, entries, chains, caveats, findings } = report
    return {
      verified: {
        at,
        durationMs: Math.round(durationMs),
        anchoredAt,
        valid,
        entries,
        chains,
        caveats,
        damaged: findings.length,
        findings: findings.slice(0, shownFindings).map((finding) => withNames(finding, names)),
      },
      tampering: tampering === null ? null : { ...tampering, names: namesOf(names, tampering.switchId) },
    }
  }

  async #verify(): Promise<void> {
    const startedMs = performance.now()
    const report = await this.#volt.ledger.verify()
    const durationMs = performance.now() - startedMs
    const [anchor] = await this.#volt.ledger.anchorStatus()
    const anchoredAt = anchor?.anchoredAt ?? null
    this.#last = { report, names: await readNames(this.#volt), at: new Date(), durationMs, anchoredAt }
    this.#onVerified()
  }

  #schedule(afterMs: number): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      // The next verification will do if the database does not answer now.
      void this.verify()
        .catch(() => undefined)
        .then(() => this.#schedule(Math.max(everyMs, (this.#last?.durationMs ?? 0) / shareOfTime)))
    }, afterMs)
  }
}

function withNames(finding: Finding, names: Names) {
  return { ...finding, names: finding.switchId === undefined ? null : namesOf(names, finding.switchId) }
}
