import type { ClientSession, Collection, Document, FindOptions, ObjectId } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import { rawDocuments, rawIn } from '../../core/raw-documents.js'
import { idOf, readStored } from '../stored-document.js'
import { type Segment, segmentEntity } from './log-entities.js'

/** Coverage: how far a chain is covered by the tree. */
export interface Coverage {
  readonly switchId: ObjectId
  /** The sequence number of the last entry. */
  readonly sequence: number
  /** Its hash, in hexadecimal. */
  readonly hash: string
  /** Where in the tree it is. */
  readonly leaf: number
}

/** How far a chain is covered of which this is the last segment. */
export function coverageOf({ switchId, firstSequence, count, firstLeaf, lastHash }: Segment): Coverage {
  const [sequence, leaf] = [firstSequence + count - 1, firstLeaf + count - 1]
  return { switchId, sequence, hash: lastHash.toString('hex'), leaf }
}

/** A document of the index as it is stored. */
export interface SegmentDocument {
  readonly id: string
  /** Undefined if it is no segment. */
  readonly segment: Segment | undefined
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
    const found = rawIn(this.#collection().aggregate(lastOfEach, { raw: true }))
    for await (const bytes of found) {
      const segment = segmentOf(bytes)
      coverage.set(segment.switchId.toHexString(), coverageOf(segment))
    }
    return coverage
  }

  /** The leaf of an entry; undefined if the tree does not cover it yet. */
  async leafOf(switchId: ObjectId, sequence: number): Promise<number | undefined> {
    const filter = { switchId, firstSequence: { $lte: sequence } }
    const [segment] = await this.#find(filter, { sort: { firstSequence: -1 }, limit: 1 })
    if (segment === undefined || sequence >= segment.firstSequence + segment.count) return undefined
    return segment.firstLeaf + sequence - segment.firstSequence
  }

  /** How many leaves the segments are of. */
  async end(): Promise<number> {
    const [last] = await this.#find({}, { sort: { firstLeaf: -1 }, limit: 1 })
    return last === undefined ? 0 : last.firstLeaf + last.count
  }

  /** How many leaves the segments are of, counted one by one; NaN where one of them does not say. */
  async leaves(): Promise<number> {
    const counted = this.#collection().aggregate<{ leaves: unknown }>([
      { $group: { _id: null, leaves: { $sum: '$count' } } },
    ])
    return Number((await counted.next())?.leaves ?? 0)
  }

  /** All segments in the order of the tree, or those of some leaves. */
  async *inOrder(firstLeaf?: {
    readonly $gte: number
    readonly $lt: number
  }): AsyncGenerator<SegmentDocument, void, undefined> {
    const filter = firstLeaf === undefined ? {} : { firstLeaf }
    const found = this.#collection().find(filter, { sort: { firstLeaf: 1 }, raw: true })
    for await (const bytes of rawIn(found)) {
      const segment = readStored(segmentEntity, bytes)
      yield { segment, id: segment === undefined ? idOf(bytes) : segment._id.toHexString() }
    }
  }

  /**
   * The segments of some leaves in the order of the tree; the ends are those of checkpoints.
   * @throws DatabaseError `LEDGER_DAMAGED` if one of them is none.
   */
  async *between(firstLeaf: number, endLeaf: number): AsyncGenerator<Segment, void, undefined> {
    for await (const { id, segment } of this.inOrder({ $gte: firstLeaf, $lt: endLeaf })) {
      if (segment === undefined) throw strangerError(id)
      yield segment
    }
  }

  /** The segments of a chain in order. @throws DatabaseError `LEDGER_DAMAGED` if one of them is none. */
  ofChain(switchId: ObjectId): Promise<Segment[]> {
    return this.#find({ switchId }, { sort: { firstSequence: 1 } })
  }

  /** Those of a chain that have entries from one number to another. */
  async ofChainBetween(switchId: ObjectId, from: number, through: number): Promise<Segment[]> {
    const segments = await this.#find({ switchId, firstSequence: { $lte: through } }, { sort: { firstSequence: 1 } })
    return segments.filter(({ firstSequence, count }) => firstSequence + count > from)
  }

  async #find(filter: Document, options: FindOptions): Promise<Segment[]> {
    const found = await rawDocuments(this.#collection().find(filter, { ...options, raw: true }))
    return found.map(segmentOf)
  }

  async add(segments: readonly Segment[], session: ClientSession): Promise<void> {
    await this.#collection().insertMany([...segments], { session, ordered: true })
  }
}

function segmentOf(bytes: Buffer): Segment {
  const segment = readStored(segmentEntity, bytes)
  if (segment === undefined) throw strangerError(idOf(bytes))
  return segment
}

function strangerError(id: string): DatabaseError {
  return new DatabaseError(
    'LEDGER_DAMAGED',
    `The index of the Merkle tree has a document that is none of it (${id}): verify the ledger`,
  )
}
