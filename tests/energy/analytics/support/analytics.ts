import { beforeEach } from 'vitest'
import type { AutoVolt } from '../../../../src/autovolt.js'
import { setUpDatabase } from '../../../support/database.js'
import { openVolt } from '../../../support/volt.js'

/** What clocks say in these tests. */
const now = new Date('2026-03-31T12:00:00Z')

/** A database for a test file, and a handle on it. */
export async function openAnalytics() {
  const database = setUpDatabase()
  const volt: AutoVolt = await openVolt(database, { clock: { now: () => now } })
  await volt.setup()
  return { database, volt, analytics: volt.analytics }
}

/** The same, with empty collections before each test. */
export async function analyticsDatabase() {
  const opened = await openAnalytics()
  const { database, volt } = opened
  const emptied = [
    'dailyAggregates',
    'monthlyAggregates',
    'classrooms',
    'devices',
    'users',
    'costVersions',
    'ledger',
  ] as const
  beforeEach(async () => {
    for (const key of emptied) await database.db.collection(volt.entityOf(key).collection).deleteMany({})
  })
  return opened
}
