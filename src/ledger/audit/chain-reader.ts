import { BSON, type Db, ObjectId } from 'mongodb'
import { isLaidOut, type StoredBytes } from '../entry/stored-bytes.js'
import { documentsOf, scanRaw } from '../raw-scan.js'
import { type EntrySummary, summaryOf } from './classify-chain.js'

/** Whatever says that it is an entry of the chain, after the sequence number. */
export async function summariesOfChain(
  database: Db,
  collection: string,
  switchId: ObjectId,
  afterSequence: number,
  signal: AbortSignal | undefined,
): Promise<EntrySummary[]> {
  const summaries: EntrySummary[] = []
  // No hint: who takes entries away may have taken the index away, too.
  for await (const batch of scanRaw(database, collection, { filter: { switchId } }, signal)) {
    for (const document of documentsOf(batch)) {
      const summary = summaryOf(document) ?? summaryOfStranger(document)
      // One whose number is none of a chain's is kept: it is to be named.
      const isBefore = summary.sequence >= 1 && summary.sequence <= afterSequence
      if (!isBefore) summaries.push(summary)
    }
  }
  return summaries
}

/** A document in the ledger's collection that is not laid out as an entry. */
export interface Stranger {
  readonly entryId: string
  /** Undefined if it names no switch. */
  readonly switchId: string | undefined
}

export async function findStrangers(
  database: Db,
  collection: string,
  signal: AbortSignal | undefined,
): Promise<Stranger[]> {
  const strangers: Stranger[] = []
  for await (const batch of scanRaw(database, collection, {}, signal)) {
    for (const document of documentsOf(batch)) {
      if (isLaidOut(document)) continue
      const { _id, switchId } = decode(document)
      strangers.push({
        entryId: String(_id),
        switchId: switchId instanceof ObjectId ? switchId.toHexString() : undefined,
      })
    }
  }
  return strangers.sort((a, b) => (a.entryId < b.entryId ? -1 : 1))
}

/** It has no hash of its own: what it carries is compared with nothing. */
function summaryOfStranger(document: StoredBytes): EntrySummary {
  const { _id, sequence, formatVersion, previousHash, hash } = decode(document)
  return {
    entryId: String(_id),
    sequence: Number(sequence),
    formatVersion: Number(formatVersion ?? 1),
    previous: String(previousHash),
    computed: 'not laid out as an entry',
    carried: String(hash),
  }
}

function decode({ buffer, start, length }: StoredBytes): Record<string, unknown> {
  return BSON.deserialize(buffer.subarray(start, start + length), { promoteBuffers: false })
}
