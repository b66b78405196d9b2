import { parseArgs } from 'node:util'
import { printable } from '../core/printable.js'
import { explainFinding } from '../ledger/audit/explain-finding.js'
import type { VerificationReport } from '../ledger/audit/finding.js'
import { verifyExport } from '../ledger/export/export-verifier.js'
import { type Command, type CommandContext, exitCode } from './command.js'
import { ExportInputs, readText } from './export-inputs.js'

export const ledgerVerifyCommand: Command = {
  name: 'ledger verify',
  summary: 'verifies an exported ledger without its database',
  help: `Usage: autovolt ledger verify FILE ... --key KEY [--key KEY ...] [--since CHECKPOINT] [--witness KEY ...] [--quorum K]

Verifies an exported ledger without its database, and prints a report as JSON.

  FILE                what volt.ledger.export() or archive() has written; several files are put in order, and each has to
                      go on where the one before it has ended. A pipe is read once, into a temporary file
  --key KEY           a verifier key, name+id+base64, or a file that holds it; several if the log has changed its key
  --since CHECKPOINT  a file with a checkpoint that you have seen before: the ledger has to go on from it
  --witness KEY       the verifier key of a witness, or a file that holds it: it has to have signed the last checkpoint
  --quorum K          so many of the witnesses are enough

What each kind of finding means, and how to look at it, is explained on the standard error output.

Exit code: 0 sound, 1 damaged, 2 could not tell.
`,
  run: verifyLedgerFile,
}

/** Prints the report. @returns the exit code. */
async function verifyLedgerFile(args: readonly string[], { out, errors, signal }: CommandContext): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string', multiple: true, default: [] },
        since: { type: 'string' },
        witness: { type: 'string', multiple: true, default: [] },
        quorum: { type: 'string' },
      },
    })
    if (positionals.length === 0) throw new Error('name a file, or several that follow each other')
    if (values.key.length === 0) throw new Error('name the key that the ledger was signed with: --key KEY')
    const keyOf = (given: string) => keyIn(given, signal)
    const verifierKeys = await Promise.all(values.key.map(keyOf))
    const knownCheckpoint = values.since === undefined ? {} : { knownCheckpoint: await readText(values.since, signal) }
    const witnesses = await Promise.all(values.witness.map(keyOf))
    await using inputs = await ExportInputs.open(positionals, signal)
    const policy = policyOf(witnesses, values.quorum)
    const report = await verifyExport(inputs.files, { verifierKeys, ...knownCheckpoint, ...policy })
    out.write(`${printable(JSON.stringify(report, null, 2))}\n`)
    for (const line of explanationsOf(report)) errors.write(`${line}\n`)
    if (report.findingCount > 0) return exitCode.wrong
    return report.valid ? exitCode.done : exitCode.notDone
  } catch (error) {
    errors.write(`could not tell: ${printable(error instanceof Error ? error.message : String(error))}\n`)
    return exitCode.notDone
  }
}

/** Each kind of finding once. */
function explanationsOf({ findings, findingCount }: VerificationReport): string[] {
  const kinds = new Map(findings.map((finding) => [`${finding.damage} (${finding.where})`, finding]))
  const lines = [...kinds].map(([kind, finding]) => {
    const { meaning, look } = explainFinding(finding)
    return `${kind}: ${meaning} ${look}`
  })
  const more = findingCount - findings.length
  return more > 0 ? [...lines, `${more} more findings are not shown.`] : lines
}

/** With named witnesses their signatures are required: missing ones are damage. */
function policyOf(witnesses: readonly string[], quorum: string | undefined) {
  if (witnesses.length === 0 && quorum === undefined) return {}
  return { witnessPolicy: { witnesses, quorum: Number(quorum ?? witnesses.length), otherwise: 'damage' as const } }
}

/** The key itself, or what is in the file of that name. */
async function keyIn(given: string, signal: AbortSignal): Promise<string> {
  return /^[^+]+\+[0-9a-f]{8}\+/.test(given) ? given : (await readText(given, signal)).trim()
}
