import { type Db, ObjectId } from 'mongodb'
import { hexOf } from '../entry/sha256.js'
import { isLaidOut, type StoredBytes } from '../entry/stored-bytes.js'
import { documentsOf, scanRaw } from '../raw-scan.js'
import { firstFieldsOf } from '../stored-document.js'
import { numberIn, wordsOf } from '../stored-words.js'
import { type EntrySummary, summaryOf } from './classify-chain.js'

/** Whatever says that it is an entry of the chain. */
export async function summariesOfChain(
  database: Db,
  collection: string,
  switchId: ObjectId,
  signal: AbortSignal | undefined,
): Promise<EntrySummary[]> {
  const summaries: EntrySummary[] = []
  // In their order: what is appended meanwhile comes at the end, and is not seen without what is before it. Without a hint, for
  // who takes entries away may have taken the index away, too.
  const query = { filter: { switchId }, sort: { sequence: 1 } }
  for await (const batch of scanRaw(database, collection, query, signal)) {
    for (const document of documentsOf(batch)) summaries.push(summaryOf(document) ?? summaryOfStranger(document))
  }
  return summaries
}

/** A document in the ledger's collection that is not laid out as an entry. */
export interface Stranger {
  readonly entryId: string
  /** The chain that the server finds it in; undefined if there is none. */
  readonly switchId: string | undefined
}

export function strangerOf(document: StoredBytes): Stranger {
  const { _id, switchId } = fieldsOf(document)
  return { entryId: wordsOf(_id), switchId: switchId instanceof ObjectId ? switchId.toHexString() : undefined }
}

/** It has no hash of its own: what it carries is compared with nothing. */
function summaryOfStranger(document: StoredBytes): EntrySummary {
  const { _id, sequence, formatVersion, previousHash, hash } = fieldsOf(document)
  const fault = isLaidOut(document) ? 'not an entry to the byte' : 'not laid out as an entry'
  return {
    entryId: wordsOf(_id),
    sequence: numberIn(sequence),
    formatVersion: numberIn(formatVersion ?? 1),
    previous: hexOf(previousHash),
    computed: fault,
    carried: hexOf(hash),
    fault,
    bytes: undefined,
  }
}

function fieldsOf({ buffer, start, length }: StoredBytes): Record<string, unknown> {
  return firstFieldsOf(buffer.subarray(start, start + length))
}
