import { type Collection, type Filter, ObjectId } from 'mongodb'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { rawDocuments } from '../../core/raw-documents.js'
import { type ChainHint, chainHint } from '../chain-index.js'
import type { LedgerEntry } from '../entry/entry.js'
import { genesisHash } from '../entry/hash.js'
import {
  carriedHash,
  chainKey,
  computedHash,
  previousHash,
  type StoredBytes,
  sequenceOf,
  switchIdOf,
} from '../entry/stored-bytes.js'
import { entryFault } from '../entry/strict-entry.js'
import { lastEntries } from '../last-entries.js'
import type { Coverage } from './segment-store.js'

/** The entries of a chain that a checkpoint is to cover. */
export interface NewEntries {
  readonly switchId: ObjectId
  readonly firstSequence: number
  readonly hashes: readonly Buffer[]
  /** The first entry that does not follow from those before it; what is from there on is not covered. */
  readonly unsound: number | undefined
}

/** A chain's last entry. */
interface Head {
  readonly switchId: ObjectId
  readonly sequence: unknown
}

/** A chain of which so many entries are not covered. */
interface Uncovered {
  readonly switchId: ObjectId
  readonly after: Coverage | undefined
  readonly count: number
}

const majority = { readConcern: { level: 'majority' }, readPreference: 'primary' } as const
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
    const hint = await chainHint(this.#collection())
    const groups = inGroups(await this.#uncovered(coverage, limit))
    const found: NewEntries[][] = []
    let count = 0
    await forEachConcurrently(groups.entries(), readers, async ([at, group]) => {
      if (count >= limit) return
      const entries = await this.#readGroup(group, hint)
      found[at] = entries
      count += entries.reduce((sum, { hashes }) => sum + hashes.length, 0)
    })
    return firstOf(found.flat(), limit)
  }

  /** The chains that go on after what is covered; looks at the head of each chain. */
  async #uncovered(coverage: ReadonlyMap<string, Coverage>, limit: number): Promise<Uncovered[]> {
    const heads: readonly Head[] = await lastEntries(this.#collection(), 'sequence', majority)
    const uncovered: Uncovered[] = []
    // What names no switch is no entry: a verification names it.
    for (const { switchId, sequence } of heads.filter(isOfChain).sort(byId)) {
      const after = coverage.get(switchId.toHexString())
      // The number of a head that was tampered with can be anything: then there may be any number of entries.
      const count = Number.isSafeInteger(sequence) ? Number(sequence) - (after?.sequence ?? 0) : limit
      if (count !== 0) uncovered.push({ switchId, after, count: Math.min(Math.max(count, 1), limit) })
    }
    return uncovered
  }

  async #readGroup(chains: readonly Uncovered[], hint: ChainHint): Promise<NewEntries[]> {
    const conditions = chains.map(({ switchId, after, count }) => {
      const covered = after?.sequence ?? 0
      return { switchId, sequence: { $gt: covered, $lte: covered + count } }
    })
    const options = { ...majority, ...hint, raw: true, batchSize: entriesAtOnce }
    const documents = await rawDocuments(this.#collection().find({ $or: conditions } as Filter<LedgerEntry>, options))
    const byChain = new Map<string, StoredBytes[]>()
    for (const document of documents) {
      const bytes = { buffer: document, start: 0, length: document.length }
      // What is no entry to the byte is never signed, whatever hash it carries: no verifier would take it.
      if (entryFault(bytes) !== undefined) continue
      const key = switchIdOf(chainKey(bytes))
      const entries = byChain.get(key)
      if (entries === undefined) byChain.set(key, [bytes])
      else entries.push(bytes)
    }
    return chains.map((chain) => soundPart(chain, byChain.get(chain.switchId.toHexString()) ?? []))
  }
}

/** @param entries Of the chain, each an entry to the byte. */
function soundPart({ switchId, after, count }: Uncovered, entries: readonly StoredBytes[]): NewEntries {
  const firstSequence = (after?.sequence ?? 0) + 1
  const hashes: Buffer[] = []
  let previous = after?.hash ?? genesisHash
  const inOrder = entries.toSorted((a, b) => sequenceOf(a) - sequenceOf(b))
  for (const [at, entry] of inOrder.entries()) {
    const hash = computedHash(entry)
    const other = inOrder[at + 1]
    const follows =
      hash === carriedHash(entry) &&
      sequenceOf(entry) === firstSequence + hashes.length &&
      previousHash(entry) === previous &&
      // Which of two at one place is right is not for a checkpoint to say.
      (other === undefined || sequenceOf(other) !== sequenceOf(entry))
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

/** As many entries as there is room for. */
function firstOf(found: readonly NewEntries[], limit: number): NewEntries[] {
  let room = limit
  return found.map((entries) => {
    const hashes = entries.hashes.slice(0, room)
    room -= hashes.length
    return { ...entries, hashes }
  })
}

function isOfChain({ switchId }: Head): boolean {
  return switchId instanceof ObjectId
}

function byId(a: Head, b: Head): number {
  return a.switchId.toHexString() < b.switchId.toHexString() ? -1 : 1
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
