import { hashBytes } from '../entry/hash-bytes.js'
import { checkSignatures, parseTreeHead, type TreeHead } from '../log/checkpoint-text.js'
import type { StoredCheckpoint } from '../log/log-entities.js'
import { MerkleFrontier, perfectRoot } from '../log/merkle-tree.js'
import { NoteError, parseNote, type VerifierKey } from '../log/signed-note.js'
import { tileWidth } from '../log/tile.js'
import type { Finding, Findings } from './finding.js'

const tileBytes = tileWidth * hashBytes

/** Opens checkpoints that a trusted key has signed, and says what is wrong with others. */
export class CheckpointReader {
  readonly #keys: readonly VerifierKey[]
  readonly #findings: Findings

  constructor(keys: readonly VerifierKey[], findings: Findings) {
    this.#keys = keys
    this.#findings = findings
  }

  /** As {@link open}, for a checkpoint as it is stored: what stands beside the note has to say the same. */
  openStored({ note, size, origin, rootHash }: StoredCheckpoint): TreeHead | undefined {
    const head = this.open(note, size)
    if (head === undefined) return undefined
    const expected = `${head.origin} ${head.rootHash.toString('hex')}`
    const found = `${origin} ${rootHash}`
    if (found === expected) return head
    this.#findings.add({ damage: 'edited', where: 'checkpoint', checkpointSize: size, expected, found })
    return undefined
  }

  /** @returns undefined if the note is not a checkpoint that is to be trusted; that is then among the findings. */
  open(note: unknown, size?: number): TreeHead | undefined {
    const expected = this.#keys.map(({ text }) => text).join(' or ')
    const refuse = (damage: Finding['damage'], found: string) => {
      this.#findings.add({ damage, where: 'checkpoint', checkpointSize: size, expected, found })
      return undefined
    }
    // Without keys nothing is believed, and nothing is held against it.
    if (this.#keys.length === 0) return undefined
    if (typeof note !== 'string') return refuse('edited', 'no note')
    try {
      const parsed = parseNote(note)
      const head = parseTreeHead(parsed.text)
      const { signedBy, forged } = checkSignatures(
        parsed,
        this.#keys.filter(({ name }) => name === head.origin),
      )
      if (forged.length > 0) return refuse('bad_signature', 'a signature that is not of its key')
      if (signedBy.length === 0) return refuse('bad_signature', 'no signature of a trusted key')
      if (size !== undefined && head.size !== size) return refuse('edited', `a checkpoint of ${head.size} entries`)
      return head
    } catch (error) {
      if (error instanceof NoteError) return refuse('edited', error.message)
      throw error
    }
  }
}

/** Builds the tree from its leaves again, and compares its root with the signed ones on the way. */
export class TreeCheck {
  /** The newest checkpoint whose root the tree has. */
  newest: TreeHead | undefined
  /** The hashes of the levels above the leaves, as far as they were built, from the lowest level on. */
  readonly upperHashes: Buffer[][] = []
  /** Of the leaves so far. */
  readonly frontier: MerkleFrontier
  readonly #findings: Findings
  readonly #rootOfTile: (hashes: Buffer) => Buffer
  /** Signed statements of what is to come, by size. */
  readonly #heads: { readonly head: TreeHead; readonly isOutside: boolean }[]

  /**
   * @param heads In any order.
   * @param frontier Of the part of the tree that is not built again.
   * @param rootOfTile The root of 256 leaves.
   */
  constructor(
    heads: readonly { readonly head: TreeHead; readonly isOutside: boolean }[],
    findings: Findings,
    frontier = new MerkleFrontier(),
    rootOfTile: (hashes: Buffer) => Buffer = perfectRoot,
  ) {
    this.#rootOfTile = rootOfTile
    this.#findings = findings
    this.frontier = frontier
    this.#heads = heads.toSorted((a, b) => b.head.size - a.head.size)
    this.#compare()
  }

  /** A signed statement that turns up on the way. */
  expect(head: TreeHead): void {
    this.#heads.push({ head, isOutside: false })
    this.#heads.sort((a, b) => b.head.size - a.head.size)
    this.#compare()
  }

  /** Leaf hashes in the order of the tree. */
  take(hashes: Buffer): void {
    for (let at = 0; at < hashes.length; ) {
      const end = at + (this.#isTileNext(hashes.length - at) ? tileBytes : hashBytes)
      this.#append(hashes.subarray(at, end))
      this.#compare()
      at = end
    }
  }

  /** Whether the leaves to come are a whole tile that no signed statement ends within. */
  #isTileNext(bytes: number): boolean {
    const { size } = this.frontier
    const nextHead = this.#heads.at(-1)?.head.size ?? Number.POSITIVE_INFINITY
    return size % tileWidth === 0 && bytes >= tileBytes && nextHead >= size + tileWidth
  }

  #append(hashes: Buffer): void {
    const leaves = hashes.length / hashBytes
    const root = leaves === tileWidth ? this.#rootOfTile(hashes) : perfectRoot(hashes)
    if (leaves > 1) this.#keepUpper(leaves, root)
    this.frontier.appendPerfect(leaves, root, (width, completed) => this.#keepUpper(width, completed))
  }

  #keepUpper(leaves: number, root: Buffer): void {
    const level = Math.log2(leaves) / Math.log2(tileWidth)
    if (!Number.isInteger(level)) return
    const hashes = this.upperHashes[level - 1]
    if (hashes === undefined) this.upperHashes[level - 1] = [root]
    else hashes.push(root)
  }

  /** To be called when there are no more leaves. */
  end(): void {
    for (const { head, isOutside } of this.#heads.reverse()) {
      this.#findings.add({
        damage: 'truncated',
        where: isOutside ? 'checkpoint' : 'tree',
        checkpointSize: head.size,
        expected: `${head.size} entries`,
        found: `${this.frontier.size} entries`,
      })
    }
  }

  #compare(): void {
    for (;;) {
      const next = this.#heads.at(-1)
      if (next === undefined || next.head.size > this.frontier.size) return
      this.#heads.pop()
      // One that comes after its leaves is one too late to be compared with.
      const root = next.head.size === this.frontier.size ? this.frontier.root() : Buffer.alloc(0)
      if (root.equals(next.head.rootHash)) this.newest = next.head
      else {
        this.#findings.add({
          damage: 'rewritten',
          where: next.isOutside ? 'checkpoint' : 'tree',
          checkpointSize: next.head.size,
          expected: next.head.rootHash.toString('hex'),
          found: root.toString('hex'),
        })
      }
    }
  }
}
