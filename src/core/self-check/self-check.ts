import type { Logger } from '../logger.js'
import type { PeriodicWork } from '../periodic.js'
import type { Check, Notice, NoticeCode } from './notice.js'

const everyMs = 5 * 60_000

/**
 * Looks for what would otherwise stay silent: at the first write of the handle, every five minutes from then on, and whenever
 * `health()` is asked. A notice is logged once for as long as it holds.
 */
export class SelfCheck {
  readonly #logger: Logger
  readonly #periodic: PeriodicWork
  readonly #checks: Check[] = []
  readonly #checksOfFirstWrite: Check[] = []
  readonly #logged = new Set<NoticeCode>()
  #hasWritten = false
  #underWay: Promise<void> | undefined

  constructor(periodic: PeriodicWork, logger: Logger) {
    this.#periodic = periodic
    this.#logger = logger
  }

  add(check: Check): void {
    this.#checks.push(check)
  }

  /** A check that is made right after the first write, too. */
  addForFirstWrite(check: Check): void {
    this.#checksOfFirstWrite.push(check)
  }

  /** Looks no more at the first write. @returns what is under way, for closing to wait for; undefined if nothing is. */
  end(): Promise<void> | undefined {
    this.#hasWritten = true
    return this.#underWay
  }

  /** Called by every write that may create a collection; only the first does anything, and it does not wait. */
  noteWrite(): void {
    if (this.#hasWritten) return
    this.#hasWritten = true
    this.#underWay = this.#run(this.#checksOfFirstWrite).then(() => {
      this.#underWay = undefined
    })
    this.#periodic.start({ name: 'self-check', everyMs, work: () => this.notices() })
  }

  /** What is not as it should be now. A check that fails finds nothing. */
  async notices(): Promise<Notice[]> {
    const found = await this.#run([...this.#checksOfFirstWrite, ...this.#checks])
    const codes = new Set(found.map(({ code }) => code))
    for (const code of this.#logged) if (!codes.has(code)) this.#logged.delete(code)
    return found
  }

  /** Whether a notice was logged, and has held since. */
  hasLogged(code: NoticeCode): boolean {
    return this.#logged.has(code)
  }

  async #run(checks: readonly Check[]): Promise<Notice[]> {
    const settled = await Promise.allSettled(checks.map((check) => check()))
    const found = settled.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))
    for (const { code, message, completeUntil } of found) {
      if (this.#logged.has(code)) continue
      this.#logged.add(code)
      this.#logger.warn({ code, completeUntil: completeUntil?.toISOString() ?? null }, message)
    }
    return found
  }

  /** Makes one check, now. */
  async check(check: Check): Promise<void> {
    await this.#run([check])
  }
}
