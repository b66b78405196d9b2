import { MerkleFrontier } from '../log/merkle-tree.js'

/** The part of a file that files before it have already: its leaves are compared with theirs, and not taken a second time. */
export class Overlap {
  /** Where the file begins. */
  readonly from: { readonly size: number; readonly root: string }
  /** Of the file's own leaves so far. */
  readonly frontier: MerkleFrontier
  readonly #end: number
  readonly #root: Buffer

  /** @param before Of the files before it. */
  constructor(frontier: MerkleFrontier, before: MerkleFrontier) {
    this.from = { size: frontier.size, root: frontier.root().toString('hex') }
    this.frontier = new MerkleFrontier(frontier.size, frontier.roots)
    this.#end = before.size
    this.#root = before.root()
  }

  /** Takes the next leaf. @returns whether the file goes on from here on where those before it have ended; undefined before. */
  take(leafHash: Buffer): boolean | undefined {
    this.frontier.append(leafHash)
    return this.frontier.size < this.#end ? undefined : this.frontier.root().equals(this.#root)
  }
}
