import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inject } from 'vitest'
import { programIn } from './bundle.js'

/**
 * The program of a TypeScript file as JavaScript (packages are left outside): a process that runs it is there in a fraction of
 * the time, and of the work, that it takes to translate module by module. The set-up of the run has made it.
 * @throws Error for a file that `bundlePrograms` does not take for a program.
 */
export function bundled(file: URL): URL {
  const path = fileURLToPath(file)
  const program = programIn(inject('programs'), path)
  if (!existsSync(program)) throw new Error(`The set-up has made no program of ${path}: see tests/support/bundle.ts`)
  return pathToFileURL(program)
}
