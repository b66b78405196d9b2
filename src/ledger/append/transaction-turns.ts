import type { ClientSession } from 'mongodb'
import type { WriterTurns } from './writer-turns.js'

/** A transaction that takes longer loses its turn: the others have waited long enough. */
const longestMs = 1_000

/** The turns of transactions, from before they read the chains until they have committed, retries included. */
export class TransactionTurns {
  readonly #turns: WriterTurns
  readonly #held = new WeakMap<ClientSession, () => void>()

  constructor(turns: WriterTurns) {
    this.#turns = turns
  }

  /** Waits for the turn at the chains, unless the transaction has one. */
  async hold(session: ClientSession, chains: readonly string[], deadlineMs: number): Promise<void> {
    if (chains.length === 0 || this.#held.has(session)) return
    const { leave } = await this.#turns.enter(chains, deadlineMs)
    const timer = setTimeout(() => this.end(session), longestMs)
    timer.unref()
    this.#held.set(session, () => {
      clearTimeout(timer)
      leave()
    })
  }

  /** Gives the transaction's turn to the next. */
  end(session: ClientSession): void {
    this.#held.get(session)?.()
    this.#held.delete(session)
  }
}
