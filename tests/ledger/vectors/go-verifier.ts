import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const source = fileURLToPath(new URL('../go', import.meta.url))

/** Whether there is Go to build the verifier with. */
export async function hasGo(): Promise<boolean> {
  try {
    await promisify(execFile)('go', ['version'])
    return true
  } catch {
    return false
  }
}

/** Builds the verifier in Go that was written from docs/ledger-format.md alone. @returns the program. */
export async function buildGoVerifier(folder: string): Promise<string> {
  const program = join(folder, 'ledgerverify')
  await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd: source, timeout: 550_000 })
  return program
}
