import type { AggregateOptions, Collection, Document, ObjectId } from 'mongodb'
import type { LedgerEntry } from './entry/entry.js'

/** The last entry of a chain, as far as it was asked for. */
export type ChainHead<Field extends keyof LedgerEntry> = Pick<LedgerEntry, Field | 'switchId'>

/**
 * The last entry of every chain. The server skips from one chain to the next, in the index alone where only the sequence
 * number is asked for: the work grows with the number of switches, not of entries.
 */
export async function chainHeads<Field extends 'sequence' | 'deviceId'>(
  collection: Collection<LedgerEntry>,
  field: Field,
  options: AggregateOptions,
): Promise<ChainHead<Field>[]> {
  const headOfEach: Document[] = [
    { $sort: { switchId: -1, sequence: -1 } },
    { $group: { _id: '$switchId', [field]: { $first: `$${field}` } } },
  ]
  const heads = await collection
    .aggregate<{ _id: ObjectId } & Pick<LedgerEntry, Field>>(headOfEach, {
      ...options,
      hint: { switchId: 1, sequence: 1 },
      batchSize: 10_000,
    })
    .toArray()
  return heads.map(({ _id, ...head }) => ({ switchId: _id, ...head }) as unknown as ChainHead<Field>)
}
