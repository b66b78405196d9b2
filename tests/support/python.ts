import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a program has come to. */
export interface Ended {
  readonly exitCode: number
  readonly output: string
}

/** Runs a program of the tests in Python. @throws Error where there is no python3. */
export function runPython(program: string, args: readonly string[]): Promise<Ended> {
  const path = fileURLToPath(new URL(`../${program}`, import.meta.url))
  return new Promise((resolve, reject) => {
    execFile('python3', [path, ...args], { timeout: 600_000 }, (error, stdout, stderr) => {
      if (error !== null && error.code === 'ENOENT')
        reject(new Error('These tests run a verifier in Python: install python3 (3.11 or newer)'))
      else if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ exitCode: Number(error?.code ?? 0), output: `${stdout}${stderr}` })
    })
  })
}
