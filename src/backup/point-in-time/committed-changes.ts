import type { KeyRing } from '../../core/key-ring.js'
import { documentLength } from '../format/bson-blocks.js'
import { FormatError } from '../format/format-error.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { type LoggedChange, type LoggedEntry, parseEntry } from './oplog-entry.js'
import { comparePositions, isUpTo, type Position } from './position.js'
import type { Path } from './reach.js'
import { entriesOf, type Slice } from './slice-store.js'

/** What happened at one moment: one change, or all of a transaction. */
export interface CommittedChanges {
  readonly position: Position
  readonly changes: readonly LoggedChange[]
}

/**
 * What happened between a backup and the end of a second, in its order. A transaction comes when its last entry does, or not at all.
 * @throws DatabaseError `BACKUP_DAMAGED`, `KEY_RING`; FormatError for what cannot be.
 */
export async function* changesOf(
  storage: StorageAccess,
  { base, slices }: Path<Slice>,
  second: number,
  database: string,
  keyRing: KeyRing | undefined,
): AsyncGenerator<CommittedChanges, void, undefined> {
  const transactions = new OpenTransactions()
  // Every slice is read to its end: only there it is certain that it is whole.
  for (const slice of slices)
    for await (const { bytes } of entriesOf(storage, slice, keyRing))
      for (let at = 0; at < bytes.length; ) {
        const length = documentLength(bytes, at)
        const entry = parseEntry(bytes.subarray(at, at + length), database)
        at += length
        if (!isUpTo(entry.position, second)) continue
        const isAfterBase = comparePositions(entry.position, base.clusterTime) > 0
        const changes = transactions.add(entry, isAfterBase)
        if (isAfterBase && changes.length > 0) yield { position: entry.position, changes }
      }
}

/** The changes of transactions that have several entries, until the last one comes. */
class OpenTransactions {
  readonly #open = new Map<string, readonly LoggedChange[]>()

  add({ transaction, isPartial, isContinued, changes }: LoggedEntry, isAfterBase: boolean): readonly LoggedChange[] {
    const before = isContinued ? this.#open.get(transaction) : []
    if (before === undefined && isAfterBase)
      throw new FormatError('a transaction began before the slices: restore from an earlier backup')
    const all = [...(before ?? []), ...changes]
    this.#open.delete(transaction)
    if (!isPartial) return all
    // The block that a change lies in is not kept for it.
    const copied = changes.map((one) => ({ ...one, content: Buffer.from(one.content), target: copyOf(one.target) }))
    this.#open.set(transaction, [...(before ?? []), ...copied])
    return []
  }
}

function copyOf(bytes: Buffer | undefined): Buffer | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes)
}
