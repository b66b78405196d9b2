import type { ClientSession, Collection, Document, ObjectId } from 'mongodb'
import type { Segment } from './log-entities.js'

/** How far a chain is covered by the tree. */
export interface Coverage {
  readonly switchId: ObjectId
  /** The sequence number of the last entry. */
  readonly sequence: number
  /** Its hash, in hexadecimal. */
  readonly hash: string
}

/** Knows where in the tree the entries of each chain are. */
export class SegmentStore {
  readonly #collection: () => Collection<Segment>

  constructor(collection: () => Collection<Segment>) {
    this.#collection = collection
  }

  /** How far each chain is covered, by its switch; looks at one segment of each. */
  coverage(): Promise<Map<string, Coverage>> {
    return this.#coverage([])
  }

  /** How far the first leaves of the tree cover each chain; looks at all of their segments. */
  coverageAt(size: number): Promise<Map<string, Coverage>> {
    return this.#coverage([{ $match: { firstLeaf: { $lt: size } } }])
  }

  async #coverage(match: readonly Document[]): Promise<Map<string, Coverage>> {
    const lastOfEach = [
      ...match,
      { $sort: { switchId: -1, firstSequence: -1 } },
      { $group: { _id: '$switchId', last: { $first: '$$ROOT' } } },
      { $replaceRoot: { newRoot: '$last' } },
    ]
    const coverage = new Map<string, Coverage>()
    for await (const segment of this.#collection().aggregate<Segment>(lastOfEach)) {
      coverage.set(segment.switchId.toHexString(), {
        switchId: segment.switchId,
        sequence: segment.firstSequence + segment.count - 1,
        hash: segment.lastHash.toString('hex'),
      })
    }
    return coverage
  }

  /** The leaf of an entry; undefined if the tree does not cover it yet. */
  async leafOf(switchId: ObjectId, sequence: number): Promise<number | undefined> {
    const segment = await this.#collection().findOne(
      { switchId, firstSequence: { $lte: sequence } },
      { sort: { firstSequence: -1 } },
    )
    if (segment === null || sequence >= segment.firstSequence + segment.count) return undefined
    return segment.firstLeaf + sequence - segment.firstSequence
  }

  /** How many leaves the segments are of. */
  async end(): Promise<number> {
    const last = await this.#collection().findOne({}, { sort: { firstLeaf: -1 } })
    return last === null ? 0 : last.firstLeaf + last.count
  }

  /** The segments in the order of the tree. */
  inOrder(): AsyncIterable<Segment> {
    return this.#collection().find({}, { sort: { firstLeaf: 1 } })
  }

  /** The segments of some leaves in the order of the tree; the ends are those of checkpoints. */
  between(firstLeaf: number, endLeaf: number): AsyncIterable<Segment> {
    return this.#collection().find({ firstLeaf: { $gte: firstLeaf, $lt: endLeaf } }, { sort: { firstLeaf: 1 } })
  }

  /** The segments of a chain in order. */
  ofChain(switchId: ObjectId): Promise<Segment[]> {
    return this.#collection()
      .find({ switchId }, { sort: { firstSequence: 1 } })
      .toArray()
  }

  async add(segments: readonly Segment[], session: ClientSession): Promise<void> {
    await this.#collection().insertMany([...segments], { session, ordered: true })
  }
}
