import type { ChainPass } from '../audit/chain-pass.js'
import type { Findings, VerificationReport } from '../audit/finding.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { ExportHeader } from './export-format.js'

const noKnownCheckpoint =
  'Without a checkpoint that was seen before, an older state of the ledger cannot be distinguished from the newest.'
const earlierKnown = 'The known checkpoint is of entries before those of this file, and was not compared.'
const unknownBegin =
  'The first line is damaged, so the entries were compared neither with the checkpoints nor with the digest of the file.'
const startsLater = (size: number) => `The first ${size} entries of the ledger are not in this file.`

export interface ExportReportParts {
  readonly findings: Findings
  /** What the files themselves have given rise to. */
  readonly caveats: readonly string[]
  readonly pass: ChainPass
  /** The first line of the first file; undefined if it cannot be read. */
  readonly first: ExportHeader | undefined
  readonly isBeginKnown: boolean
  readonly known: TreeHead | undefined
  readonly newest: TreeHead | undefined
}

export function exportReport(parts: ExportReportParts): VerificationReport {
  const { findings, pass, newest, first } = parts
  const fromSize = first?.fromSize ?? 0
  return {
    valid: pass.entries > 0 && findings.count === 0,
    entries: pass.entries,
    chains: pass.chains.size,
    invalidEntry: findings.firstEntry,
    findings: findings.list,
    findingCount: findings.count,
    checkpoint: newest === undefined ? null : { size: newest.size, rootHash: newest.rootHash.toString('hex') },
    coveredEntries: newest === undefined ? 0 : newest.size - fromSize,
    archivedEntries: fromSize,
    newestAnchor: null,
    caveats: [...parts.caveats, ...caveatsOf(parts, fromSize)],
  }
}

function* caveatsOf({ isBeginKnown, known }: ExportReportParts, fromSize: number) {
  if (!isBeginKnown) yield unknownBegin
  if (known === undefined) yield noKnownCheckpoint
  else if (known.size < fromSize) yield earlierKnown
  if (fromSize > 0) yield startsLater(fromSize)
}
