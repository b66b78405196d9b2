import { createHash } from 'node:crypto'
import type { Collection } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { rawDocuments } from '../../core/raw-documents.js'
import type { LedgerEntry } from '../entry/entry.js'
import { hexOf } from '../entry/sha256.js'
import { isLaidOut, sequenceOf } from '../entry/stored-bytes.js'
import { noSigner } from '../log/checkpointer.js'
import type { Segment, StoredCheckpoint } from '../log/log-entities.js'
import type { SignerKey } from '../log/signed-note.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { PersonalStore } from '../personal/personal-store.js'
import { digestLine, exportFormat, formatLine } from './export-format.js'

export interface ExportOptions {
  /** Whether personal data goes with the entries; what was erased cannot. @default false */
  readonly personalData?: boolean
}

export interface ExportParts {
  readonly log: TransparencyLog
  readonly entries: () => Collection<LedgerEntry>
  readonly personal: PersonalStore
  readonly signers: readonly SignerKey[]
}

/** Leaves of the tree: from one checkpoint, or the beginning, to another. */
export interface ExportRange {
  readonly fromSize: number
  readonly end: StoredCheckpoint
}

const piecesOf = 64 * 1024

/**
 * The ledger up to its newest checkpoint, in the order of its tree, as a text in pieces of whole lines: entries, checkpoints
 * and a signed digest of it all.
 * @throws DatabaseError `NOT_COVERED` if there is no checkpoint, `CONFIGURATION` without a signer key, `LEDGER_DAMAGED` if
 * entries are missing.
 */
export async function* exportLedger(
  parts: ExportParts,
  fromSize: number,
  options: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  const end = await parts.log.checkpoints.newest()
  if (end === null)
    throw new DatabaseError('NOT_COVERED', 'There is no checkpoint yet that an export could end at: make one')
  yield* exportRange(parts, { fromSize, end }, options)
}

export async function* exportRange(
  parts: ExportParts,
  { fromSize, end }: ExportRange,
  options: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  const { signers, log } = parts
  if (signers.length === 0) throw noSigner()
  const sha256 = createHash('sha256')
  const frontier = await log.tiles.frontier(fromSize)
  const { origin, size } = end
  const header = {
    format: exportFormat,
    origin,
    fromSize,
    frontier: frontier.roots.map((root) => root.toString('base64')),
    size,
  }
  let piece = formatLine({ header })
  for await (const line of linesOf(parts, fromSize, size, options)) {
    piece += line
    if (piece.length < piecesOf) continue
    sha256.update(piece)
    yield piece
    piece = ''
  }
  sha256.update(piece)
  yield piece
  yield digestLine({ origin, fromSize, size, sha256: sha256.digest() }, signers)
}

/** The lines between the first and the last: entries, and each checkpoint where its leaves end. */
async function* linesOf(parts: ExportParts, fromSize: number, size: number, options: ExportOptions) {
  const { log } = parts
  const checkpoints = log.checkpoints.between(fromSize, size)[Symbol.asyncIterator]()
  let next = await checkpoints.next()
  const due = async function* (leaves: number) {
    while (!next.done && next.value.size <= leaves) {
      yield formatLine({ checkpoint: next.value.note })
      next = await checkpoints.next()
    }
  }
  yield* due(fromSize)
  for await (const segment of log.segments.between(fromSize, size)) {
    for (const stored of await readSegment(parts, segment)) yield formatLine({ entry: stored.toString('base64') })
    if (options.personalData) yield* personalLines(parts, segment)
    yield* due(segment.firstLeaf + segment.count)
  }
}

async function readSegment({ entries }: ExportParts, { switchId, firstSequence, count }: Segment): Promise<Buffer[]> {
  const range = { $gte: firstSequence, $lt: firstSequence + count }
  const options = { raw: true, sort: { sequence: 1 }, batchSize: 10_000 } as const
  const found = await rawDocuments(entries().find({ switchId, sequence: range }, options))
  // One with a number between two others is none of the segment's, and is not to keep it from being exported.
  const stored = found.filter((buffer) => {
    const bytes = { buffer, start: 0, length: buffer.length }
    return !isLaidOut(bytes) || Number.isInteger(sequenceOf(bytes))
  })
  if (stored.length === count) return stored
  throw new DatabaseError(
    'LEDGER_DAMAGED',
    `The chain ${switchId.toHexString()} has not the entries ${firstSequence} to ${firstSequence + count - 1}: verify the ledger`,
  )
}

async function* personalLines({ entries, personal }: ExportParts, { switchId, firstSequence, count }: Segment) {
  const range = { $gte: firstSequence, $lt: firstSequence + count }
  const committed = await entries()
    .find({ switchId, sequence: range, personalCommitment: { $exists: true } })
    .toArray()
  for (const entry of committed) {
    const data = await personal.of(entry, undefined)
    if (data === null) continue
    const { commitment, salt, text } = data
    yield formatLine({ personal: { commitment: hexOf(commitment), salt: hexOf(salt), text } })
  }
}
