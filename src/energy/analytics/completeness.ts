import type { Database } from '../../core/database.js'
import type { Notice } from '../../core/self-check/notice.js'
import type { Ledger } from '../../ledger/ledger.js'
import { rollUpWork } from '../roll-ups/roll-ups.js'

/** An answer from the roll-ups, with until when it is complete. */
export type Answer<Of extends object> = Of & {
  /**
   * What the ledger had at this instant is in the answer; null where nobody ever kept the roll-ups. A list has it beside its
   * items: JSON leaves it out there.
   */
  readonly completeUntil: Date | null
}

/** Knows until when the roll-ups are complete, and says so once where that is long ago. */
export class Completeness {
  readonly #database: Database
  readonly #ledger: Ledger

  constructor(database: Database, ledger: Ledger) {
    this.#database = database
    this.#ledger = ledger
    database.selfCheck.add(() => this.#notice())
  }

  /** @returns null where nobody ever kept them. */
  async until(): Promise<Date | null> {
    const { workRecords, selfCheck } = this.#database
    const until = await workRecords.completeUntil(rollUpWork)
    if (workRecords.lateSince(rollUpWork, until) !== undefined && !selfCheck.hasLogged('ROLL_UPS_BEHIND'))
      await selfCheck.check(() => this.#notice())
    return until
  }

  /** Asks first until when the roll-ups are complete: what is added meanwhile makes the answer better than it says. */
  async of<Of extends object>(answer: () => Promise<Of>): Promise<Answer<Of>> {
    const value = await this.until()
    const given = await answer()
    Object.defineProperty(given, 'completeUntil', { value, enumerable: !Array.isArray(given) })
    return given as Answer<Of>
  }

  /** Where the ledger is empty there is nothing to keep. */
  async #notice(): Promise<Notice | undefined> {
    const late = await this.#database.workRecords.late(rollUpWork)
    if (late === undefined) return undefined
    const entries = await this.#database.of(this.#ledger.entity, { isOutside: true }).estimatedCount()
    if (entries === 0) return undefined
    const state =
      late.completeUntil === null
        ? 'Nobody has ever kept the roll-ups: analytics answer as if the ledger were empty'
        : `The roll-ups are far behind: analytics know nothing since ${late.completeUntil.toISOString()}`
    return {
      code: 'ROLL_UPS_BEHIND',
      message: `${state}. Call volt.start(), or volt.rollUps.update() now and then`,
      completeUntil: late.completeUntil,
    }
  }
}
