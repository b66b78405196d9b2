import type { Direction, RunParts, RunProgress } from './run-parts.js'

/** The step that is reported on. */
export interface ReportedStep {
  readonly migration: string
  readonly direction: Direction
  readonly step: number
  readonly steps: number
}

/** Reports how far a step has come, with its pace since this process began it. */
export class StepProgress {
  readonly #parts: Pick<RunParts, 'report'>
  readonly #step: ReportedStep
  readonly #startedMs = performance.now()
  #doneBefore: number | undefined

  constructor(parts: Pick<RunParts, 'report'>, step: ReportedStep) {
    this.#parts = parts
    this.#step = step
  }

  /** @param doneBefore What was done before this process began, which says nothing about its pace. */
  resume(doneBefore: number): void {
    this.#doneBefore = doneBefore
  }

  report(done: number, total: number | null = null): void {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const perSecond = seconds > 0 ? Math.max(0, done - (this.#doneBefore ?? 0)) / seconds : 0
    const remainingMs = total === null || perSecond === 0 ? null : (Math.max(0, total - done) / perSecond) * 1000
    const event: RunProgress = { type: 'progress', ...this.#step, done, total, perSecond, remainingMs }
    this.#parts.report(event)
  }
}
