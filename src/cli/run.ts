import type { Writable } from 'node:stream'
import { verifyLedgerFile } from './ledger-verify.js'

const usage = `Usage: autovolt ledger verify FILE ... --key KEY [--key KEY ...] [--since CHECKPOINT]

Verifies an exported ledger without its database, and prints a report as JSON.

  FILE                what volt.ledger.export() or archive() has written; several files are put in order, and each has to
                      go on where the one before it has ended
  --key KEY           a verifier key, name+id+base64, or a file that holds it; several if the log has changed its key
  --since CHECKPOINT  a file with a checkpoint that you have seen before: the ledger has to go on from it

Exit code: 0 sound, 1 damaged, 2 could not tell.
`

/** Runs a command of the command line. @returns the exit code. */
export async function run(args: readonly string[], out: Writable, errors: Writable): Promise<number> {
  const [group, command, ...rest] = args
  if (group === 'ledger' && command === 'verify') return verifyLedgerFile(rest, out, errors)
  const isHelp = args.length === 0 || args.includes('--help')
  ;(isHelp ? out : errors).write(usage)
  return isHelp ? 0 : 2
}
