import type { Collection, Filter, ObjectId } from 'mongodb'
import {
  carriedHash,
  computedHash,
  formatVersionOf,
  isLaidOut,
  previousHash,
  type StoredBytes,
  sequenceOf,
} from '../audit/stored-bytes.js'
import type { LedgerEntry } from '../entry.js'
import { entryFormatVersion } from '../format-version.js'
import { genesisHash } from '../hash.js'
import type { Coverage } from './segment-store.js'

/** The entries of a chain that a checkpoint is to cover. */
export interface NewEntries {
  readonly switchId: ObjectId
  readonly firstSequence: number
  readonly hashes: readonly Buffer[]
  /** The first entry that does not follow from those before it; what is from there on is not covered. */
  readonly unsound: number | undefined
}

/** A chain of which so many entries are not covered. */
interface Uncovered {
  readonly switchId: ObjectId
  readonly after: Coverage | undefined
  readonly count: number
}

const majority = { readConcern: { level: 'majority' } } as const
/** Chains that are asked for at once; those with many new entries alone. */
const chainsAtOnce = 100
const entriesAtOnce = 20_000
const readers = 4

/** Reads what a checkpoint does not cover yet: only what a majority has, and no primary that falls can take back. */
export class NewEntryReader {
  readonly #collection: () => Collection<LedgerEntry>

  constructor(collection: () => Collection<LedgerEntry>) {
    this.#collection = collection
  }

  /** Chain by chain, in the order of their switches' ids; at most so many entries, and no hole in any chain. */
  async read(coverage: ReadonlyMap<string, Coverage>, limit: number): Promise<NewEntries[]> {
    const groups = inGroups(await this.#uncovered(coverage, limit))
    const found: NewEntries[][] = []
    const next = groups.entries()
    const work = async () => {
      for (const [at, group] of next) found[at] = await this.#readGroup(group)
    }
    await Promise.all(Array.from({ length: readers }, work))
    return found.flat()
  }

  /** The chains that go on after what is covered; looks at the head of each chain. */
  async #uncovered(coverage: ReadonlyMap<string, Coverage>, limit: number): Promise<Uncovered[]> {
    const headOfEach = [
      { $sort: { switchId: -1, sequence: -1 } },
      { $group: { _id: '$switchId', sequence: { $first: '$sequence' } } },
    ]
    const heads = await this.#collection()
      .aggregate<{ _id: ObjectId; sequence: number }>(headOfEach, { ...majority, hint: { switchId: 1, sequence: 1 } })
      .toArray()
    const uncovered: Uncovered[] = []
    let room = limit
    for (const { _id, sequence } of heads.sort((a, b) => (a._id.toHexString() < b._id.toHexString() ? -1 : 1))) {
      const after = coverage.get(_id.toHexString())
      const count = Math.min(sequence - (after?.sequence ?? 0), room)
      if (count > 0) uncovered.push({ switchId: _id, after, count })
      room -= Math.max(count, 0)
    }
    return uncovered
  }

  async #readGroup(chains: readonly Uncovered[]): Promise<NewEntries[]> {
    const conditions = chains.map(({ switchId, after, count }) => {
      const covered = after?.sequence ?? 0
      return { switchId, sequence: { $gt: covered, $lte: covered + count } }
    })
    const documents = (await this.#collection()
      .find({ $or: conditions } as Filter<LedgerEntry>, {
        ...majority,
        raw: true,
        hint: { switchId: 1, sequence: 1 },
        batchSize: entriesAtOnce,
      })
      .toArray()) as unknown as Buffer[]
    const byChain = new Map<string, StoredBytes[]>()
    for (const document of documents) {
      const bytes = { buffer: document, start: 0, length: document.length }
      const key = switchIdIn(document)
      const entries = byChain.get(key)
      if (entries === undefined) byChain.set(key, [bytes])
      else entries.push(bytes)
    }
    return chains.map((chain) => soundPart(chain, byChain.get(chain.switchId.toHexString()) ?? []))
  }
}

/** The switch's id in a document that the server found by it, however the document is laid out. */
function switchIdIn(document: Buffer): string {
  const at = document.indexOf('\x07switchId\0', 4, 'latin1')
  return at < 0 ? '' : document.toString('hex', at + 10, at + 22)
}

function soundPart({ switchId, after, count }: Uncovered, entries: readonly StoredBytes[]): NewEntries {
  const firstSequence = (after?.sequence ?? 0) + 1
  const hashes: Buffer[] = []
  let previous = after?.hash ?? genesisHash
  for (const entry of entries.toSorted((a, b) => sequenceOf(a) - sequenceOf(b))) {
    const hash = isLaidOut(entry) ? computedHash(entry) : undefined
    const follows =
      hash !== undefined &&
      hash === carriedHash(entry) &&
      formatVersionOf(entry) === entryFormatVersion &&
      sequenceOf(entry) === firstSequence + hashes.length &&
      previousHash(entry) === previous
    if (!follows) break
    hashes.push(Buffer.from(hash, 'hex'))
    previous = hash
  }
  return {
    switchId,
    firstSequence,
    hashes,
    unsound: hashes.length < count ? firstSequence + hashes.length : undefined,
  }
}

/** Groups of few chains, or of few entries. */
function inGroups(chains: readonly Uncovered[]): Uncovered[][] {
  const groups: Uncovered[][] = []
  let entries = Number.POSITIVE_INFINITY
  for (const chain of chains) {
    const group = groups.at(-1)
    if (group === undefined || group.length >= chainsAtOnce || entries + chain.count > entriesAtOnce) {
      groups.push([chain])
      entries = chain.count
    } else {
      group.push(chain)
      entries += chain.count
    }
  }
  return groups
}
