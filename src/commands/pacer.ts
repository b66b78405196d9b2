import { setTimeout as sleep } from 'node:timers/promises'

interface Turn {
  /** When its work ended, by the monotonic clock. */
  readonly ended: Promise<number>
  readonly askedMs: number
}

const forgottenAfterMs = 60_000

/** Keeps the time between two commands to a device, in this process; the device keeps its own as well. */
export class Pacer {
  /** The last turn of each device, in the order in which they were asked for. */
  readonly #turns = new Map<string, Turn>()

  /** Works in the device's turn: so long after the work of the turn before has ended, however late that was. */
  async inTurn<Result>(
    device: string,
    { pauseMs, signal }: { readonly pauseMs: number; readonly signal: AbortSignal },
    work: () => Promise<Result>,
  ): Promise<Result> {
    const askedMs = performance.now()
    const result = afterTurn(this.#turns.get(device), pauseMs, signal).then(work)
    const ended = result.then(
      () => performance.now(),
      () => performance.now(),
    )
    this.#turns.delete(device)
    this.#turns.set(device, { ended, askedMs })
    for (const [other, turn] of this.#turns) {
      if (askedMs - turn.askedMs < forgottenAfterMs) break
      this.#turns.delete(other)
    }
    return result
  }
}

async function afterTurn(before: Turn | undefined, pauseMs: number, signal: AbortSignal): Promise<void> {
  if (before === undefined) return
  const waitMs = (await before.ended) + pauseMs - performance.now()
  if (waitMs > 0) await sleep(Math.ceil(waitMs), undefined, { signal }).catch(() => undefined)
}
