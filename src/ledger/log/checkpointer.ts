import { Binary, type ClientSession, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import type { CheckpointStore } from './checkpoint-store.js'
import { signTreeHead } from './checkpoint-text.js'
import type { Segment, StoredCheckpoint } from './log-entities.js'
import { withLogLease } from './log-lease.js'
import type { MerkleFrontier } from './merkle-tree.js'
import type { NewEntries, NewEntryReader } from './new-entries.js'
import type { SegmentStore } from './segment-store.js'
import type { SignerKey } from './signed-note.js'
import { type TileStore, whereMissing } from './tile-store.js'

export interface CheckpointerParts {
  readonly database: Database
  readonly entries: NewEntryReader
  readonly checkpoints: CheckpointStore
  readonly segments: SegmentStore
  readonly tiles: TileStore
  readonly signers: readonly SignerKey[]
  /** The entries that one checkpoint adds at most: its tiles and segments are one transaction. @default 200,000 */
  readonly entriesPerCheckpoint?: number
}

/** What a call of `checkpoint` has come to. */
export interface CheckpointResult {
  /** The newest checkpoint; null if the ledger is empty. */
  readonly checkpoint: StoredCheckpoint | null
  /** Entries that this call has covered. */
  readonly added: number
  /** Chains that could not be covered to their end, and the entry that stands in the way: verify them. */
  readonly unsound: readonly { readonly switchId: ObjectId; readonly sequence: number }[]
}

const defaultEntriesPerCheckpoint = 200_000

/** Makes checkpoints, one process at a time. Appends go on meanwhile. */
export class Checkpointer {
  readonly #parts: CheckpointerParts

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
  }

  /** Covers everything that a majority had when it began; in several checkpoints if that is much. */
  run(): Promise<CheckpointResult> {
    return withLogLease(this.#parts.database, (lease) => this.#coverAll(lease))
  }

  async #coverAll(lease: Lease): Promise<CheckpointResult> {
    const { entriesPerCheckpoint = defaultEntriesPerCheckpoint } = this.#parts
    for (let added = 0; ; ) {
      const newest = await this.#parts.checkpoints.newest()
      const found = await this.#parts.entries.read(await this.#parts.segments.coverage(), entriesPerCheckpoint)
      const fresh = found.filter(({ hashes }) => hashes.length > 0)
      const count = fresh.reduce((sum, { hashes }) => sum + hashes.length, 0)
      const unsound = found.flatMap(({ switchId, unsound: sequence }) =>
        sequence === undefined ? [] : [{ switchId, sequence }],
      )
      const checkpoint = count === 0 ? newest : await this.#add(newest, fresh, lease)
      added += count
      // With less than it could have taken there was no more when it looked.
      if (count < entriesPerCheckpoint) return { checkpoint, added, unsound }
    }
  }

  async #add(before: StoredCheckpoint | null, fresh: readonly NewEntries[], lease: Lease): Promise<StoredCheckpoint> {
    const { tiles, signers, database } = this.#parts
    const [signer] = signers
    if (signer === undefined) throw noSigner()
    const size = before?.size ?? 0
    const frontier = await tiles.frontier(size).catch(whereMissing(undefined))
    refuseOtherTree(frontier, before, await this.#parts.segments.end())
    const segments: Segment[] = []
    const leaves: Buffer[] = []
    for (const { switchId, firstSequence, hashes } of fresh) {
      const lastHash = new Binary(hashes.at(-1) as Buffer)
      segments.push({
        _id: new ObjectId(),
        switchId,
        firstSequence,
        count: hashes.length,
        firstLeaf: size + leaves.length,
        lastHash,
      })
      for (const hash of hashes) {
        leaves.push(hash)
        frontier.append(hash)
      }
    }
    const head = { origin: signer.verifier.name, size: frontier.size, rootHash: frontier.root() }
    const checkpoint: StoredCheckpoint = {
      _id: new ObjectId(),
      size: head.size,
      origin: head.origin,
      rootHash: head.rootHash.toString('hex'),
      note: signTreeHead(head, signers),
      signedAt: database.clock.now(),
    }
    await this.#store(lease, size, leaves, segments, checkpoint)
    return checkpoint
  }

  /** All of it or nothing, and nothing once another process has the lease. */
  async #store(
    lease: Lease,
    size: number,
    leaves: readonly Buffer[],
    segments: readonly Segment[],
    checkpoint: StoredCheckpoint,
  ): Promise<void> {
    const { database, tiles, checkpoints } = this.#parts
    await database.transactions.run(() =>
      database.transactions.execute(async (session) => {
        const inTransaction = session as ClientSession
        await lease.guard()
        await tiles.append(size, leaves, inTransaction)
        await this.#parts.segments.add(segments, inTransaction)
        await checkpoints.add(checkpoint, inTransaction)
      }),
    )
  }
}

/** The tree is rebuilt from its tiles before anything is added: what was tampered with is not signed again. */
function refuseOtherTree(
  frontier: MerkleFrontier | undefined,
  before: StoredCheckpoint | null,
  leaves: number,
): asserts frontier is MerkleFrontier {
  const size = before?.size ?? 0
  const hasRoot = frontier !== undefined && (before === null || frontier.root().toString('hex') === before.rootHash)
  if (!hasRoot)
    throw new DatabaseError(
      'LEDGER_DAMAGED',
      `The Merkle tree does not have the root of the checkpoint of ${size} entries any more: verify the ledger`,
    )
  if (leaves !== size)
    throw new DatabaseError(
      'LEDGER_DAMAGED',
      `The newest checkpoint is of ${size} entries, and the Merkle tree is of ${leaves}: verify the ledger`,
    )
}

export function noSigner(): DatabaseError {
  return new DatabaseError('CONFIGURATION', 'Checkpoints are signed: open the handle with `ledgerLog: { signerKeys }`')
}
