import { expect } from 'vitest'
import type { AutoVolt } from '../../../../src/autovolt.js'
import type { DayRange } from '../../../../src/energy/day-range.js'
import type { OpenOptions } from '../../../../src/handle-options.js'
import type { TestDatabase } from '../../../support/database.js'
import { openVolt } from '../../../support/volt.js'

/** Two handles on one database. */
export interface BothWays {
  /** Keeps roll-ups, and takes them for what they cover. */
  readonly volt: AutoVolt
  /** Knows of no roll-ups: what it answers is what the ledger alone says. */
  readonly alone: AutoVolt
}

export async function bothWays(
  database: TestDatabase,
  options: Pick<OpenOptions, 'ledgerLog'> = {},
): Promise<BothWays> {
  const volt = await openVolt(database, options)
  await volt.setup()
  const collections = { dailyAggregates: 'no_days', monthlyAggregates: 'no_months', rollUpCursors: 'no_cursors' }
  const alone = await openVolt(database, { ...options, collections })
  await alone.setup()
  return { volt, alone }
}

/** Empties all collections. */
export async function empty({ db }: TestDatabase): Promise<void> {
  for (const { name } of await db.listCollections().toArray()) {
    if (!name.startsWith('system.')) await db.collection(name).deleteMany({})
  }
}

export async function dailyOf({ energy }: AutoVolt, range: DayRange) {
  return { classrooms: await energy.dailyByClassroom(range), switches: await energy.dailyBySwitch(range) }
}

export async function expectSame({ volt, alone }: BothWays, range: DayRange): Promise<void> {
  expect(await dailyOf(volt, range)).toEqual(await dailyOf(alone, range))
}
