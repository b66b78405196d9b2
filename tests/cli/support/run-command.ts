import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bundled } from '../../support/bundled.js'

export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

export interface CommandPlace {
  /** How Node is to run the command. @default the bundled program */
  readonly program?: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Stops it with SIGINT once it has written this to its standard error. */
  readonly stopAfter?: string
}

/** Runs `autovolt` as a process of its own. */
export function runAutovolt(
  args: readonly string[],
  { program, cwd = root, env = {}, stopAfter }: CommandPlace = {},
): Promise<Ended> {
  const started = program ?? [fileURLToPath(bundled(new URL('../../../src/cli/autovolt.ts', import.meta.url)))]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...started, ...args], { cwd, env: { ...process.env, ...env } })
    const [out, errors]: [Buffer[], Buffer[]] = [[], []]
    let isStopped = false
    child.stdout.on('data', (bytes) => out.push(bytes))
    child.stderr.on('data', (bytes) => {
      errors.push(bytes)
      // A second signal would end it at once.
      if (stopAfter === undefined || isStopped || !Buffer.concat(errors).includes(stopAfter)) return
      isStopped = child.kill('SIGINT')
    })
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, out: Buffer.concat(out).toString(), errors: Buffer.concat(errors).toString() })
    })
  })
}
