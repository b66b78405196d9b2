import { expect } from 'vitest'
import { startChild } from '../../support/child.js'
import { full } from '../../support/extent.js'

const program = new URL('./backup-step.ts', import.meta.url)

/** What the process is to do, see `backup-step.ts`. */
export interface StepEnvironment extends Readonly<Record<string, string | undefined>> {
  readonly DB_NAME: string
  readonly FOLDER: string
  readonly TASK: string
  readonly INTO?: string
  readonly TO?: string
  /** A bucket in place of the folder. */
  readonly S3?: string
}

/** Runs tasks in processes of their own, on the server. */
export function stepsOn(uri: string) {
  return {
    /** Runs the task to its end. @returns how many steps that took. */
    async run(environment: StepEnvironment): Promise<number> {
      const child = startChild(program, { env: { ...environment, MONGODB_URI: uri } })
      const { steps } = await child.next<{ type: 'done'; steps: number }>('done', 120_000)
      await child.exit
      return steps
    },

    /** Runs the task until it kills itself. What the driver sends besides varies, so the last of so many steps may not come. */
    async killAt(step: number, steps: number, environment: StepEnvironment): Promise<void> {
      const env = { ...environment, MONGODB_URI: uri, KILL_AT: String(step) }
      const { signal } = await startChild(program, { env }).exit
      if (signal !== 'SIGKILL') expect(step).toBeGreaterThan(0.8 * steps)
    },
  }
}

/** Some of the steps, spread over all of them; or all, in the long form. */
export function someOf(steps: number, count: number): number[] {
  const every = full ? 1 : (steps - 1) / (count - 1)
  const chosen = Array.from({ length: Math.ceil(steps / every) }, (_, at) => Math.round(1 + at * every))
  return [...new Set(chosen)].filter((step) => step <= steps)
}
