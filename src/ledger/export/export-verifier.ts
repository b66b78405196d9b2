import type { VerificationReport } from '../audit/finding.js'
import { parseHeldKeys } from '../log/held-keys.js'
import { NoteError } from '../log/signed-note.js'
import { ParsedWitnessPolicy, type WitnessPolicy } from '../log/witness-policy.js'
import { ExportError } from './export-error.js'
import type { ExportHeader } from './export-format.js'
import { ExportVerification } from './export-verification.js'
import { openFirstLine } from './first-line.js'
import { linesIn } from './line-reader.js'

export interface VerifyExportOptions {
  /** Who may have signed the checkpoints and the file, `name+id+base64`, of one log; from a source that you trust, never from the file. */
  readonly verifierKeys: readonly string[]
  /** A checkpoint that you have seen before: the file has to go on from it. */
  readonly knownCheckpoint?: string
  /** Which witnesses have to have signed the last checkpoint. */
  readonly witnessPolicy?: WitnessPolicy
}

/** Gives the bytes of a file from its beginning. */
export type OpenExport = () => AsyncIterable<Uint8Array>

/** Looks at what is handed in before anything is done with it. @throws NoteError, ExportError. */
function requireUsable(files: readonly unknown[], options: unknown): void {
  const { knownCheckpoint } = Object(options) as Partial<Record<keyof VerifyExportOptions, unknown>>
  if (knownCheckpoint !== undefined && typeof knownCheckpoint !== 'string')
    throw new NoteError('a known checkpoint is a text')
  if (!files.every((open) => typeof open === 'function'))
    throw new ExportError('a file is a function that gives its bytes from the beginning')
}

/**
 * Verifies an exported file: every byte by the signed digest, every entry by its hash, every chain by its links, and the
 * tree by its signed checkpoints. Pure: no database, no network. Memory stays flat, but for damaged chains.
 * @param files One file, or archives and what was exported after them, in any order: then also that each goes on where the
 * one before it has ended. Each is opened a second time if something is damaged.
 * @throws ExportError if neither the first line nor the closing digest names the format that this version knows; NoteError for what is no key,
 * no checkpoint or no policy; UntrustedCheckpointError for a known checkpoint that none of the keys has signed.
 * @example
 * const report = await verifyExport(() => createReadStream('ledger.jsonl'), { verifierKeys: [key] })
 */
export async function verifyExport(
  files: OpenExport | readonly OpenExport[],
  options: VerifyExportOptions,
): Promise<VerificationReport> {
  const inTurn = Array.isArray(files) ? (files as readonly OpenExport[]) : [files as OpenExport]
  requireUsable(inTurn, options)
  const { verifierKeys, knownCheckpoint } = Object(options) as VerifyExportOptions
  const keys = parseHeldKeys(verifierKeys)
  const policy = options.witnessPolicy && new ParsedWitnessPolicy(options.witnessPolicy)
  const verification = new ExportVerification(keys, knownCheckpoint)
  const ordered = inTurn.length === 1 ? inTurn : await inOrder(inTurn)
  if (inTurn.length === 0) throw new ExportError('there are no files to verify')
  for (const open of ordered) {
    let number = 0
    verification.beginFile(inTurn.length)
    for await (const line of linesIn(open())) verification.take(line, ++number)
    verification.endFile()
  }
  verification.end()
  if (verification.suspects.size > 0) {
    for (const open of ordered) for await (const line of linesIn(open())) verification.lookAgain(line)
    verification.nameDamage()
  }
  if (policy !== undefined) verification.requireWitnesses(policy)
  return verification.report()
}

/** The files by where they begin in the tree, and then by where they end; at the end those that do not tell. */
async function inOrder(files: readonly OpenExport[]): Promise<OpenExport[]> {
  const ranges = await Promise.all(files.map(async (open) => ({ open, ...(await rangeOf(open)) })))
  return ranges.sort((a, b) => a.fromSize - b.fromSize || a.size - b.size).map(({ open }) => open)
}

async function rangeOf(open: OpenExport): Promise<Pick<ExportHeader, 'fromSize' | 'size'>> {
  for await (const line of linesIn(open())) {
    try {
      return openFirstLine(line).header
    } catch (error) {
      if (!(error instanceof ExportError)) throw error
      break
    }
  }
  return { fromSize: Number.MAX_SAFE_INTEGER, size: Number.MAX_SAFE_INTEGER }
}
