import type { AggregateOptions, Collection, Document } from 'mongodb'
import type { LedgerEntry } from './entry/entry.js'

/** The last entry of a chain, as far as it was asked for. */
export type LastEntry<Field extends keyof LedgerEntry> = Pick<LedgerEntry, Field | 'switchId'>

/**
 * The last entry of every chain. The server skips from one chain to the next, in the index alone where only the sequence
 * number is asked for: the work grows with the number of switches, not of entries.
 */
export async function lastEntries<Field extends 'sequence' | 'deviceId'>(
  collection: Collection<LedgerEntry>,
  field: Field,
  options: AggregateOptions,
): Promise<LastEntry<Field>[]> {
  const lastOfEach: Document[] = [
    { $sort: { switchId: -1, sequence: -1 } },
    { $group: { _id: '$switchId', [field]: { $first: `$${field}` } } },
    { $project: { _id: 0, switchId: '$_id', [field]: 1 } },
  ]
  return collection
    .aggregate<LastEntry<Field>>(lastOfEach, {
      ...options,
      batchSize: 10_000,
      // What somebody has put there in place of an id must not keep the other chains from being read.
      enableUtf8Validation: false,
    })
    .toArray()
}
