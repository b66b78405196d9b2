import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreFilter } from '../../core/collection/store-query.js'
import type { Identified } from '../../core/entity.js'

/** How long something took. */
export interface Durations {
  /** How many of them are known. */
  readonly count: number
  /** ms; null where none is known. */
  readonly meanMs: number | null
  /** ms; of an even number the mean of the two in the middle. */
  readonly medianMs: number | null
}

/** What the server counts and sums up of the two durations, which not every document has. */
export interface SummedDurations {
  readonly count: number
  readonly acknowledgeCount: number
  readonly acknowledgeSumMs: number
  readonly resolveCount: number
  readonly resolveSumMs: number
}

/** How the server sums them up. */
export const durationSums = {
  count: { $sum: 1 },
  acknowledgeCount: { $sum: { $cond: [{ $gte: ['$acknowledgeMs', 0] }, 1, 0] } },
  acknowledgeSumMs: { $sum: '$acknowledgeMs' },
  resolveCount: { $sum: { $cond: [{ $gte: ['$resolveMs', 0] }, 1, 0] } },
  resolveSumMs: { $sum: '$resolveMs' },
}

type Hint = Readonly<Record<string, 1 | -1>>

/** Which documents were summed up, and the indexes that have what the filter asks for, and then the duration. */
export interface SummedOf {
  readonly filter: object
  readonly byAcknowledge: Hint
  readonly byResolve: Hint
}

/** The durations with their medians, which are read from indexes. */
export async function durationsOf<Stored extends Identified>(
  documents: EntityCollection<Stored>,
  row: SummedDurations,
  { filter, byAcknowledge, byResolve }: SummedOf,
): Promise<{ readonly toAcknowledge: Durations; readonly toResolve: Durations }> {
  const acknowledged = { count: row.acknowledgeCount, sumMs: row.acknowledgeSumMs }
  const resolved = { count: row.resolveCount, sumMs: row.resolveSumMs }
  return {
    toAcknowledge: await withMedian(documents, 'acknowledgeMs', acknowledged, { filter, hint: byAcknowledge }),
    toResolve: await withMedian(documents, 'resolveMs', resolved, { filter, hint: byResolve }),
  }
}

/** As far as its middle the index is read. */
async function withMedian<Stored extends Identified>(
  documents: EntityCollection<Stored>,
  field: 'resolveMs' | 'acknowledgeMs',
  { count, sumMs }: { readonly count: number; readonly sumMs: number },
  { filter, hint }: { readonly filter: object; readonly hint: Hint },
): Promise<Durations> {
  if (count === 0) return { count, meanMs: null, medianMs: null }
  const known: StoreFilter<Stored> = { $and: [filter, { [field]: { $gte: 0 } }] }
  const middle = await documents.find<Record<string, number>>(known, {
    projection: { _id: 0, [field]: 1 },
    sort: { [field]: 1 },
    skip: Math.floor((count - 1) / 2),
    limit: count % 2 === 0 ? 2 : 1,
    hint,
  })
  const values = middle.map((row) => row[field] ?? 0)
  const medianMs = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
  return { count, meanMs: sumMs / count, medianMs }
}
