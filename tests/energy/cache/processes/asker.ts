import mongoose from 'mongoose'
import { systemClock } from '../../../../src/core/clock.js'
import { Database } from '../../../../src/core/database.js'
import { silentLogger } from '../../../../src/core/logger.js'
import { AnalyticsCache } from '../../../../src/energy/cache/analytics-cache.js'
import { cacheEntryEntity } from '../../../../src/energy/cache/cache-entry.js'
import { onParentMessage, tellParent } from '../../../support/parent.js'

// Without the rest of the library: ten of these start at once.
const { MONGODB_URI = '', DB_NAME = '', CLAIM_MS = '' } = process.env
const connection = await mongoose.createConnection(MONGODB_URI, { dbName: DB_NAME }).asPromise()
const parts = { clock: systemClock, logger: silentLogger, keyRing: undefined, logQueries: false }
const database = new Database({ connection, ...parts })
const cache = new AnalyticsCache(database, cacheEntryEntity, Number(CLAIM_MS))
const finish = new Map<string, () => void>()

/** Computes until it is told to finish, and then for each its own answer. */
async function compute(question: string): Promise<{ by: number; at: Date }> {
  const finished = new Promise<void>((resolve) => finish.set(question, resolve))
  tellParent({ type: 'computing', question })
  await finished
  return { by: process.pid, at: new Date('2026-03-01T10:00:00Z') }
}

onParentMessage('ask', async ({ question }) => {
  try {
    const answer = await cache.getOrCompute('peak_hours', { question }, () => compute(String(question)))
    tellParent({ type: 'answer', question, by: answer.by, isDate: answer.at instanceof Date })
  } catch (error) {
    tellParent({ type: 'answer', question, error: String(error) })
  }
})
onParentMessage('finish', ({ question }) => finish.get(String(question))?.())
tellParent({ type: 'ready' })
