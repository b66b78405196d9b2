import type { VerificationReport } from '../audit/finding.js'
import { NoteError, VerifierKey } from '../log/signed-note.js'
import { ExportError } from './export-error.js'
import { ExportVerification } from './export-verification.js'
import { openFirstLine } from './first-line.js'
import { parseLine } from './line.js'
import { linesIn } from './line-reader.js'

export interface VerifyExportOptions {
  /** Who may have signed the checkpoints and the file, `name+id+base64`; from a source that you trust, never from the file. */
  readonly verifierKeys: readonly string[]
  /** A checkpoint that you have seen before: the file has to go on from it. */
  readonly knownCheckpoint?: string
}

/** Gives the bytes of a file from its beginning. */
export type OpenExport = () => AsyncIterable<Uint8Array>

/**
 * Verifies an exported file: every byte by the signed digest, every entry by its hash, every chain by its links, and the
 * tree by its signed checkpoints. Pure: no database, no network. Memory stays flat, but for damaged chains.
 * @param files One file, or archives and what was exported after them, in any order: then also that each goes on where the
 * one before it has ended. Each is opened a second time if something is damaged.
 * @throws ExportError if neither the first line nor the closing digest names the format that this version knows; NoteError for what is no key, or
 * no checkpoint; UntrustedCheckpointError for a known checkpoint that none of the keys has signed.
 * @example
 * const report = await verifyExport(() => createReadStream('ledger.jsonl'), { verifierKeys: [key] })
 */
export async function verifyExport(
  files: OpenExport | readonly OpenExport[],
  options: VerifyExportOptions,
): Promise<VerificationReport> {
  const keys = options.verifierKeys.map((key) => VerifierKey.parse(key))
  if (new Set(keys.map(({ name }) => name)).size !== 1)
    throw new NoteError('an export is verified with the verifier keys of one log, at least one')
  const verification = new ExportVerification(keys, options.knownCheckpoint)
  const inTurn = typeof files === 'function' ? [files] : await inOrder(files)
  if (inTurn.length === 0) throw new ExportError('there are no files to verify')
  for (const open of inTurn) {
    let number = 0
    verification.beginFile(inTurn.length)
    for await (const line of linesIn(open())) verification.take(line, ++number)
    verification.endFile()
  }
  verification.end()
  if (verification.suspects.size > 0) {
    for (const open of inTurn) for await (const line of linesIn(open())) verification.lookAgain(line)
    verification.nameDamage()
  }
  return verification.report()
}

/** The files by where they begin in the tree; at the end those that do not tell. */
async function inOrder(files: readonly OpenExport[]): Promise<OpenExport[]> {
  const begins = await Promise.all(files.map(async (open) => ({ open, fromSize: await fromSizeOf(open) })))
  return begins.sort((a, b) => a.fromSize - b.fromSize).map(({ open }) => open)
}

async function fromSizeOf(open: OpenExport): Promise<number> {
  for await (const line of linesIn(open())) {
    try {
      return openFirstLine(parseLine(line)).header.fromSize
    } catch (error) {
      if (!(error instanceof ExportError)) throw error
      return Number.MAX_SAFE_INTEGER
    }
  }
  return Number.MAX_SAFE_INTEGER
}
