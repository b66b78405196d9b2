import { decodeBase64 } from '../log/base64.js'
import { MerkleFrontier } from '../log/merkle-tree.js'
import { ExportError } from './export-error.js'
import { type ExportHeader, exportFormat } from './export-format.js'
import type { Line } from './line.js'

/** @throws ExportError if it is not the first line of an export of this format. */
export function openFirstLine(line: Line | undefined): { header: ExportHeader; frontier: MerkleFrontier } {
  const header = line?.header as ExportHeader | undefined
  if (typeof header !== 'object' || header === null) throw new ExportError('the file does not begin as an export does')
  if (header.format !== exportFormat)
    throw new ExportError(`the file is of a format that is not known here: ${String(header.format)}`)
  const roots = (Array.isArray(header.frontier) ? header.frontier : []).map(decodeBase64)
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
