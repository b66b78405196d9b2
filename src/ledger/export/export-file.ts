import { createHash } from 'node:crypto'
import type { TreeHead } from '../log/checkpoint-text.js'
import { ExportError } from './export-error.js'
import type { ExportHeader } from './export-format.js'

/** Export file: what is known of a file that is being read. */
export class ExportFile {
  readonly sha256 = createHash('sha256')
  /** How its lines are named in findings. */
  readonly lineName: (number: number) => string
  /** Entries of the files before it. */
  readonly entriesBefore: number
  /** Entries of this file that those before it have, too. */
  repeated = 0
  header: ExportHeader | undefined
  firstFault = new ExportError('the file is empty')
  isExport = false
  newest: TreeHead | undefined
  isClosed = false

  constructor(number: number, count: number, entriesBefore: number) {
    this.lineName = (line) => (count === 1 ? `line ${line}` : `line ${line} of file ${number}`)
    this.entriesBefore = entriesBefore
  }
}
