/** Turns: calls about the same thing run one after the other in this process, so that its own calls do not conflict with each other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs the work once all that was asked for the same name before has ended, however it ended. */
  async take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(work, work)
    this.#last.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
  }
}
