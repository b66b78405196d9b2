import type { Document } from 'mongodb'
import { type Admin, ifAllowed, isUnavailable, numberOf } from '../admin.js'
import { type ProfiledOperation, profiledOperations } from '../profiler/recorded-queries.js'
import type { IndexAdvice, IndexAdviceReport } from './advice.js'
import type { IndexUse } from './index-use.js'
import { hitRateOf, missingIndexes } from './missing-indexes.js'
import { type DeclaredFor, redundantIndexes, unusedIndexes } from './surplus-indexes.js'

const shownLargest = 5

export interface IndexReportOptions {
  readonly minimumDays: number
  readonly declaredFor: DeclaredFor
}

/** Everything that can be said about the indexes, from their use and from what the profiler has recorded. */
export async function indexReport(
  admin: Admin,
  indexes: readonly IndexUse[],
  { minimumDays, declaredFor }: IndexReportOptions,
): Promise<IndexAdviceReport> {
  const now = admin.database.clock.now()
  const recorded = await ifAllowed(() => profiledOperations(admin))
  const operations: readonly ProfiledOperation[] = isUnavailable(recorded) ? [] : recorded
  return {
    advice: [
      ...redundantIndexes(indexes, declaredFor),
      ...unusedIndexes(indexes, { now, minimumDays, declaredFor }),
      ...missingIndexes(operations),
      ...(await tooLarge(admin, indexes)),
    ],
    hitRate: hitRateOf(operations),
    unreached: [...new Set(indexes.flatMap(({ unreached }) => unreached))],
  }
}

async function tooLarge(admin: Admin, indexes: readonly IndexUse[]): Promise<IndexAdvice[]> {
  const status = await ifAllowed(() => admin.runOnServer({ serverStatus: 1 }))
  if (isUnavailable(status)) return []
  const cache: Document = (status as Document).wiredTiger?.cache ?? {}
  const cacheBytes = numberOf(cache['maximum bytes configured'])
  const indexBytes = indexes.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
  if (cacheBytes === 0 || indexBytes <= cacheBytes) return []
  const largest = indexes
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, shownLargest)
    .map(({ collection, name, sizeBytes }) => ({ collection, index: name, sizeBytes }))
  return [{ kind: 'too_large', indexBytes, cacheBytes, largest }]
}
