/** Timers that end together, as a device's do when it loses its power. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>()

  after(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#running.delete(timer)
      task()
    }, ms)
    this.#running.add(timer)
  }

  /** Runs the task again and again, after a pause that is drawn anew each time. */
  repeat(pauseMs: () => number, task: () => void): void {
    this.after(pauseMs(), () => {
      this.repeat(pauseMs, task)
      task()
    })
  }

  clear(): void {
    for (const timer of this.#running) clearTimeout(timer)
    this.#running.clear()
  }
}
