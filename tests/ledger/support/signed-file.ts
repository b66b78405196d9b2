import { createHash } from 'node:crypto'
import { type VerificationReport, verifyExport } from '@autovolt/data/ledger'
import { digestLine, type ExportHeader, exportFormat } from '../../../src/ledger/export/export-format.js'
import { SignerKey } from '../../../src/ledger/log/signed-note.js'
import { firstKeys, origin } from '../golden/inputs.js'

export const golden = { format: exportFormat, origin, fromSize: 0, frontier: [], size: 11 } satisfies ExportHeader

/** The lines, closed by a digest as whoever has the key can make it: what is wrong with them nothing else tells. */
export function signedFile(
  lines: readonly string[],
  {
    signerKeys = [firstKeys.signerKey],
    header = golden,
  }: { signerKeys?: readonly string[]; header?: ExportHeader } = {},
): string {
  const text = lines.join('')
  const sha256 = createHash('sha256').update(text).digest()
  return (
    text +
    digestLine(
      { ...header, sha256 },
      signerKeys.map((key) => SignerKey.parse(key)),
    )
  )
}

/** What is found out about the text of a file, by the keys that are given. */
export function verifyText(
  text: string | Uint8Array,
  verifierKeys: readonly string[] = [firstKeys.verifierKey],
): Promise<VerificationReport> {
  return verifyExport(
    async function* () {
      yield Buffer.from(text as string)
    },
    { verifierKeys },
  )
}
