import type { Finding, Findings } from '../audit/finding.js'
import { TreeCheck } from '../audit/tree-check.js'
import { hashBytes } from '../entry/hash-bytes.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { MerkleFrontier } from '../log/merkle-tree.js'
import type { ExportHeader } from './export-format.js'
import { Overlap } from './overlap.js'

/** The Merkle tree of the entries of exported files, one after the other, compared with the signed checkpoints among them. */
export class TreeOfFiles {
  readonly #known: TreeHead | undefined
  readonly #findings: Findings
  #tree: TreeCheck | undefined
  /** Where the file begins, if that is not where the one before it ends. */
  #begun: Omit<Finding, 'damage'> | undefined
  #overlap: Overlap | undefined
  /** The roots of the signed checkpoints so far, by size. */
  readonly #roots = new Map<number, string>()

  constructor(known: TreeHead | undefined, findings: Findings) {
    this.#known = known
    this.#findings = findings
  }

  /** The newest checkpoint that the tree was compared with. */
  get newest(): TreeHead | undefined {
    return this.#tree?.newest
  }

  /** Whether the file's entries are those of files before it, so far. */
  get isOverlapping(): boolean {
    return this.#overlap !== undefined
  }

  /** Begins the first file. */
  begin(frontier: MerkleFrontier): void {
    this.#tree = this.#treeFrom(frontier)
  }

  /** Where a file begins is not known: what follows cannot be compared. */
  lose(): void {
    this.#tree = undefined
  }

  /** A later file has to begin with the tree that those before it end with. @param line Its first line, for people. */
  goOn({ fromSize }: ExportHeader, frontier: MerkleFrontier, line: string): void {
    const before = this.#tree?.frontier
    if (before === undefined) return
    const rootOf = ({ size, root }: { size: number; root: string }) => `the tree of ${size} entries, ${root}`
    const expected = { size: before.size, root: before.root().toString('hex') }
    const found = { size: fromSize, root: frontier.root().toString('hex') }
    if (rootOf(expected) === rootOf(found)) return
    const damage = fromSize > before.size ? 'deleted' : fromSize < before.size ? 'inserted' : 'rewritten'
    this.#begun = { where: 'export', expected: rootOf(expected), found: `${line} goes on from ${rootOf(found)}` }
    if (damage === 'inserted') this.#overlap = new Overlap(frontier, before)
    else this.#branchOff(damage, frontier)
  }

  /** Takes the hash of the next entry. */
  take(leaf: Buffer): void {
    this.#tree?.take(leaf.length === hashBytes ? leaf : Buffer.alloc(hashBytes))
  }

  /** Takes the hash of an entry that files before this one have, too. */
  takeAgain(leaf: Buffer): void {
    const overlap = this.#overlap
    const isSame = overlap?.take(leaf)
    if (isSame === true) this.#endOverlap('overlapping')
    else if (isSame === false && overlap !== undefined) this.#branchOff('rewritten', overlap.frontier)
  }

  /** @returns whether the checkpoint is behind its leaves. */
  takeCheckpoint(head: TreeHead): boolean {
    const { size, rootHash } = head
    if (this.#overlap === undefined) {
      this.#roots.set(size, rootHash.toString('hex'))
      const isBehind = size === this.#tree?.frontier.size
      this.#tree?.expect(head)
      return isBehind
    }
    const root = this.#overlap.frontier.root()
    if (size === this.#overlap.frontier.size && rootHash.equals(root)) return true
    const [expected, found] = [rootHash.toString('hex'), root.toString('hex')]
    this.#findings.add({ damage: 'rewritten', where: 'tree', checkpointSize: size, expected, found })
    return true
  }

  endFile(): void {
    if (this.#overlap !== undefined) this.#endWithin(this.#overlap)
    this.#begun = undefined
  }

  /** To be called after the last file. */
  end(): void {
    this.#tree?.end()
  }

  #treeFrom(frontier: MerkleFrontier): TreeCheck {
    const heads = this.#known === undefined ? [] : [{ head: this.#known, isOutside: true }]
    const comparable = heads.filter(({ head }) => head.size >= frontier.size)
    return new TreeCheck(comparable, this.#findings, frontier)
  }

  /** The file has another tree than those before it: from here on it is compared with its own. */
  #branchOff(damage: Finding['damage'], frontier: MerkleFrontier): void {
    this.#endOverlap(damage)
    this.#tree = this.#treeFrom(frontier)
  }

  #endOverlap(damage: Finding['damage']): void {
    if (this.#begun !== undefined) this.#findings.add({ ...this.#begun, damage })
    this.#overlap = undefined
  }

  /** A file that ends before those before it do has to end with one of their checkpoints. */
  #endWithin({ frontier }: Overlap): void {
    const root = this.#roots.get(frontier.size)
    const isSame = root === frontier.root().toString('hex')
    this.#endOverlap(isSame ? 'overlapping' : root === undefined ? 'unexplained' : 'rewritten')
  }
}
