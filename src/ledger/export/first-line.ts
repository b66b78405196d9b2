import { decodeBase64 } from '../log/base64.js'
import { MerkleFrontier } from '../log/merkle-tree.js'
import { ExportError } from './export-error.js'
import { type ExportHeader, exportFormat } from './export-format.js'
import { formOf, parseLine } from './line.js'

const otherFormat = /^\{"header":\{"format":"(autovolt-ledger-export\/[^"\\]{1,20})"/

/** @throws ExportError if it is not the first line of an export of this format. */
export function openFirstLine(bytes: Buffer): { header: ExportHeader; frontier: MerkleFrontier } {
  const line = parseLine(bytes)
  const [, format] = otherFormat.exec(bytes.toString('utf8', 0, 100)) ?? []
  if (format !== undefined && format !== exportFormat)
    throw new ExportError(`the file is of a format that is not known here: ${format}`)
  const header = line?.header as ExportHeader | undefined
  if (header?.format !== exportFormat)
    throw new ExportError(`the file does not begin as an export does${formOf(bytes)}`)
  const roots = header.frontier.map(decodeBase64)
  try {
    const frontier = new MerkleFrontier(
      header.fromSize,
      roots.map((root) => root ?? Buffer.alloc(0)),
    )
    return { header, frontier }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ExportError('the first line does not say which part of the ledger the file has')
  }
}
