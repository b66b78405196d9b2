import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

// Time-series collections with indexes of our own, which the library declares, exist from this version on.
const oldestMajor = 6

/** A `mongod` that was run and answered. */
export interface Mongod {
  readonly path: string
  /** Such as `6.0.5`. */
  readonly version: string
}

/** Runs `mongod --version` and gives the answer; throws with the reason where the file cannot serve. */
export async function checkMongod(path: string): Promise<Mongod> {
  const version = await readVersion(path)
  if (Number.parseInt(version, 10) < oldestMajor) {
    throw new Error(`${path} is MongoDB ${version}; ${oldestMajor}.0 or newer is needed`)
  }
  return { path, version }
}

async function readVersion(path: string): Promise<string> {
  await access(path, constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${path} is missing or not executable`, { cause })
  })
  const { stdout } = await run(path, ['--version'], { timeout: 30_000 }).catch((cause: unknown) => {
    throw new Error(`${path} does not run: ${lastLine(cause)}`, { cause })
  })
  const version = /^db version v(\d+\.\d+\.\d+)/m.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${path} does not answer --version as a mongod does`)
  return version
}

function lastLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? ''
}
