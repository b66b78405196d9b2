import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestDatabase } from '../support/database.js'

const run = promisify(execFile)
const child = fileURLToPath(new URL('counting-child.ts', import.meta.url))

export interface CountedWork {
  /** How many functions were called. */
  readonly functions: number
  /** Those whose work grows faster than their input, and errors that are not of ours. */
  readonly found: readonly string[]
}

/**
 * Counts the work of every public function with hostile inputs of growing sizes: `slice` up to 50,000 characters and 5,000
 * keys or levels, which shows what grows with the square; `whole` up to a megabyte and 100,000. In a process of its own: V8
 * has one set of counters, which coverage needs.
 */
export async function countWork({ uri, dbName }: TestDatabase, extent: 'slice' | 'whole'): Promise<CountedWork> {
  const args = ['--import', 'tsx', child, uri, dbName, extent]
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1e9 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as CountedWork
}
