import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { verifyExport } from '../ledger/export/export-verifier.js'

const sound = 0
const damaged = 1
const couldNotTell = 2

/** `autovolt ledger verify`: prints the report. @returns the exit code. */
export async function verifyLedgerFile(args: readonly string[], out: Writable, errors: Writable): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { key: { type: 'string', multiple: true, default: [] }, since: { type: 'string' } },
    })
    if (positionals.length === 0) throw new Error('name a file, or several that follow each other')
    if (values.key.length === 0) throw new Error('name the key that the ledger was signed with: --key KEY')
    const verifierKeys = await Promise.all(values.key.map(keyOf))
    const knownCheckpoint = values.since === undefined ? {} : { knownCheckpoint: await readFile(values.since, 'utf8') }
    const files = positionals.map((file) => () => createReadStream(file))
    const report = await verifyExport(files, { verifierKeys, ...knownCheckpoint })
    out.write(`${JSON.stringify(report, null, 2)}\n`)
    if (report.findings.length > 0) return damaged
    return report.valid ? sound : couldNotTell
  } catch (error) {
    errors.write(`could not tell: ${error instanceof Error ? error.message : String(error)}\n`)
    return couldNotTell
  }
}

/** The key itself, or what is in the file of that name. */
async function keyOf(given: string): Promise<string> {
  return /^[^+]+\+[0-9a-f]{8}\+/.test(given) ? given : (await readFile(given, 'utf8')).trim()
}
