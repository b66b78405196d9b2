import { existsSync, rmSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inject } from 'vitest'
import { bundleOne, programIn } from './bundle.js'

const known = new Map<string, string>()

/**
 * The program of a TypeScript file as JavaScript (packages are left outside): a process that runs it is there in a fraction of
 * the time, and of the work, that it takes to translate module by module. What the set-up of the run has not made is made here,
 * and goes with this process.
 */
export function bundled(file: URL): URL {
  const path = fileURLToPath(file)
  const made = programIn(inject('programs'), path)
  return pathToFileURL(existsSync(made) ? made : madeHere(path))
}

function madeHere(path: string): string {
  const found = known.get(path)
  if (found !== undefined) return found
  const program = bundleOne(path)
  process.once('exit', () => rmSync(program, { force: true }))
  known.set(path, program)
  return program
}
