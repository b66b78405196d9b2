import { Binary, type ClientSession, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import type { Anchor } from './anchor.js'
import { chainHeadsDigest, hasChainHeads } from './chain-heads.js'
import type { CheckpointStore } from './checkpoint-store.js'
import { signTreeHead, type TreeHead } from './checkpoint-text.js'
import { contradiction, KnownStatements } from './known-statements.js'
import type { Segment, StoredCheckpoint } from './log-entities.js'
import { withLogLease } from './log-lease.js'
import type { MerkleFrontier } from './merkle-tree.js'
import type { NewEntries, NewEntryReader } from './new-entries.js'
import { type Coverage, coverageOf, type SegmentStore } from './segment-store.js'
import type { SignerKey, VerifierKey } from './signed-note.js'
import { SignedTree } from './signed-tree.js'
import type { TileStore } from './tile-store.js'

export interface CheckpointerParts {
  readonly database: Database
  readonly entries: NewEntryReader
  readonly checkpoints: CheckpointStore
  readonly segments: SegmentStore
  readonly tiles: TileStore
  readonly signers: readonly SignerKey[]
  /** Those that may have signed the checkpoints so far. */
  readonly keys: readonly VerifierKey[]
  /** Who is asked before anything is signed. */
  readonly anchors: readonly Anchor[]
  /** The entries that one checkpoint adds at most: its tiles and segments are one transaction. @default 200,000 */
  readonly entriesPerCheckpoint?: number
}

/** Checkpoint result: what a call of `checkpoint` has come to. */
export interface CheckpointResult {
  /** The newest checkpoint; null if the ledger is empty. */
  readonly checkpoint: StoredCheckpoint | null
  /** Entries that this call has covered. */
  readonly added: number
  /** Chains that could not be covered to their end, and the entry that stands in the way: verify them. */
  readonly unsound: readonly { readonly switchId: ObjectId; readonly sequence: number }[]
}

const defaultEntriesPerCheckpoint = 200_000

/**
 * Makes checkpoints, one process at a time. Appends go on meanwhile. Before anything is signed everybody who may know better is
 * asked, and the tree is built again from its leaves: what is signed goes on from all that was signed before.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts
  readonly #known: KnownStatements
  readonly #tree: SignedTree

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
    this.#known = new KnownStatements(parts.checkpoints, parts.keys, parts.anchors)
    this.#tree = new SignedTree(parts.tiles, parts.segments)
  }

  /**
   * Covers everything that a majority had when it began; in several checkpoints if that is much.
   * @throws DatabaseError `CONFIGURATION` without a key: nothing would be signed, nobody asked, and what is there not be checked.
   */
  async run(): Promise<CheckpointResult> {
    const [signer] = this.#parts.signers
    if (signer === undefined) throw noSigner()
    return withLogLease(this.#parts.database, (lease) => this.#coverAll(signer.verifier.name, lease))
  }

  async #coverAll(origin: string, lease: Lease): Promise<CheckpointResult> {
    const { entriesPerCheckpoint = defaultEntriesPerCheckpoint, segments, entries } = this.#parts
    const known = await this.#known.ask()
    let { newest } = known
    const coverage = await segments.coverage()
    // What is signed next goes on from there.
    if (!hasChainHeads(known.head, coverage.values()))
      throw contradiction('the index of the tree does not have the chains that the newest checkpoint was signed for')
    let frontier: MerkleFrontier | undefined
    for (let added = 0; ; ) {
      const found = await entries.read(coverage, entriesPerCheckpoint)
      const fresh = found.filter(({ hashes }) => hashes.length > 0)
      const count = fresh.reduce((sum, { hashes }) => sum + hashes.length, 0)
      const unsound = found.flatMap(({ switchId, unsound: sequence }) =>
        sequence === undefined ? [] : [{ switchId, sequence }],
      )
      if (count > 0) {
        frontier ??= await this.#tree.build(newest?.size ?? 0, known.statements)
        newest = await this.#add(frontier, coverage, fresh, origin, lease)
      }
      added += count
      // With less than it could have taken there was no more when it looked.
      if (count < entriesPerCheckpoint) return { checkpoint: newest, added, unsound }
    }
  }

  /**
   * @param frontier Of the tree so far; of the one with the new entries afterwards.
   * @param coverage How far the tree covers each chain so far, and afterwards.
   */
  async #add(
    frontier: MerkleFrontier,
    coverage: Map<string, Coverage>,
    fresh: readonly NewEntries[],
    origin: string,
    lease: Lease,
  ): Promise<StoredCheckpoint> {
    const { signers, database } = this.#parts
    const { size } = frontier
    const segments: Segment[] = []
    const leaves: Buffer[] = []
    for (const { switchId, firstSequence, hashes } of fresh) {
      const segment: Segment = {
        _id: new ObjectId(),
        switchId,
        firstSequence,
        count: hashes.length,
        firstLeaf: size + leaves.length,
        lastHash: new Binary(hashes.at(-1) as Buffer),
      }
      segments.push(segment)
      coverage.set(switchId.toHexString(), coverageOf(segment))
      for (const hash of hashes) {
        leaves.push(hash)
        frontier.append(hash)
      }
    }
    const chainHeads = chainHeadsDigest(coverage.values())
    const head: TreeHead = { origin, size: frontier.size, rootHash: frontier.root(), chainHeads }
    const checkpoint: StoredCheckpoint = {
      _id: new ObjectId(),
      size: head.size,
      origin: head.origin,
      rootHash: head.rootHash.toString('hex'),
      note: signTreeHead(head, signers),
      signedAt: database.clock.now(),
    }
    await this.#store(lease, size, leaves, segments, checkpoint)
    this.#known.signed(head)
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

export function noSigner(): DatabaseError {
  return new DatabaseError('CONFIGURATION', 'Checkpoints are signed: open the handle with `ledgerLog: { signerKeys }`')
}
