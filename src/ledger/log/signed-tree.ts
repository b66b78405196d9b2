import { hash } from 'node:crypto'
import { Findings } from '../audit/finding.js'
import { TreeCheck } from '../audit/tree-check.js'
import { hashBytes } from '../entry/hash-bytes.js'
import { contradiction, type Statement } from './known-statements.js'
import { type MerkleFrontier, perfectRoot } from './merkle-tree.js'
import type { SegmentStore } from './segment-store.js'
import { tileWidth } from './tile.js'
import { type TileStore, whereMissing } from './tile-store.js'

/**
 * The roots of tiles by the bytes that they are of. To see that a tile is the same as before takes a fraction of the time that
 * building its root takes, and every checkpoint reads all of them.
 */
class KnownRoots {
  readonly #roots = new Map<string, Buffer>()

  rootOf(hashes: Buffer): Buffer {
    const digest = hash('sha256', hashes, 'binary')
    const known = this.#roots.get(digest)
    if (known !== undefined) return known
    const root = perfectRoot(hashes)
    this.#roots.set(digest, root)
    return root
  }
}

/** The tree that checkpoints are signed over. */
export class SignedTree {
  readonly #tiles: TileStore
  readonly #segments: SegmentStore
  readonly #roots = new KnownRoots()

  constructor(tiles: TileStore, segments: SegmentStore) {
    this.#tiles = tiles
    this.#segments = segments
  }

  /**
   * Builds the tree of a size again from its leaves.
   * @throws DatabaseError `LEDGER_DAMAGED` if it does not go on from each of the statements, or its upper levels or its index
   * are of another tree.
   */
  async build(size: number, statements: readonly Statement[]): Promise<MerkleFrontier> {
    const findings = new Findings()
    const heads = statements.map(({ head }) => ({ head, isOutside: true }))
    const tree = new TreeCheck(heads, findings, undefined, (hashes) => this.#roots.rootOf(hashes))
    for await (const { index, hashes } of this.#tiles.leaves(0, size)) {
      if (index * tileWidth !== tree.frontier.size || hashes.length % hashBytes !== 0) break
      tree.take(hashes)
    }
    tree.end()
    const [first] = findings.list
    if (first !== undefined) {
      const { checkpointSize, expected, found } = first
      const by = statements.find(
        ({ head }) =>
          head.size === checkpointSize && (first.damage === 'truncated' || head.rootHash.toString('hex') === expected),
      )?.by
      throw contradiction(
        `${by ?? 'a checkpoint'} is of ${checkpointSize} entries (${expected}), and the tree has ${found}`,
      )
    }
    if (tree.frontier.size !== size) throw contradiction(`the tree has ${tree.frontier.size} leaves, not ${size}`)
    await this.#requireUpperLevels(tree.frontier)
    for (const leaves of [await this.#segments.end(), await this.#segments.leaves()]) {
      if (leaves !== size)
        throw contradiction(`the newest checkpoint is of ${size} entries, and the index of the tree of ${leaves}`)
    }
    return tree.frontier
  }

  /** Proofs are read from them. */
  async #requireUpperLevels({ size, roots }: MerkleFrontier): Promise<void> {
    const kept = await this.#tiles.frontier(size).catch(whereMissing(undefined))
    if (!kept?.roots.every((root, at) => roots[at]?.equals(root)))
      throw contradiction('the upper levels of the tree are not those of its leaves')
  }
}
