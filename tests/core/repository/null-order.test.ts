import type { Document } from 'mongodb'
import mongoose from 'mongoose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { type Filter, where } from '../../../src/core/repository/conditions.js'
import type { Sort } from '../../../src/core/repository/selection.js'
import { keyRing } from '../../support/builders.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { aThing, setUpThings, type Thing, type ThingInput, type Things, thingEntity } from '../support/thing.js'

const database = setUpDatabase()
let volt: AutoVolt
let things: Things

beforeAll(async () => {
  const options = { dbName: database.dbName, monitorCommands: true }
  const connection = await mongoose.createConnection(database.uri, options).asPromise()
  cleanUpLater(() => connection.destroy())
  volt = AutoVolt.attach(connection, { hostEntities: [thingEntity], keys: keyRing('first') })
  things = await setUpThings(volt)
})
beforeEach(async () => {
  await database.db.collection('things').deleteMany({})
  await database.db.command({ planCacheClear: 'things' })
})

const ofTheSort = { weight: -1, at: 1, _id: 1 }
const indexes = [ofTheSort, { deletedAt: 1, _id: 1 }]
const sorts: readonly Sort<Thing>[] = [ofTheSort as Sort<Thing>, { weight: 1, at: -1, _id: -1 }]
const instants = [new Date(0), new Date(1), new Date(2)] as const

/** Weights and instants that are absent, null or there, in an order that no index has. */
const mixed: readonly Partial<ThingInput>[] = [
  {},
  { weight: null, at: instants[0] },
  { at: instants[0] },
  { weight: 0 },
  { at: instants[2] },
  { weight: null, at: instants[1] },
  { weight: 0, at: instants[1] },
  { weight: null },
  { at: instants[1] },
  { weight: -2, at: instants[0] },
  { weight: null, at: instants[2] },
  {},
]

describe.each(sorts)('absent values and null, sorted by %j', (sort) => {
  it.each(indexes)('are equal to after() where the server keeps to the index %j', async (index) => {
    await things.createMany(mixed.map(aThing))
    const walks = () => Promise.all([1, 2, 5].map((limit) => walk({}, sort, limit)))
    const commands = await commandsOf(walks)
    expect(commands.length).toBeGreaterThan(0)
    for (const { filter, sort, projection } of commands) {
      const shape = { query: filter, sort, projection }
      await database.db.command({ planCacheSetFilter: 'things', ...shape, indexes: [index] })
    }
    try {
      const expected = await codesInMemory({}, sort)
      expect(await walks()).toEqual([expected, expected, expected])
    } finally {
      await database.db.command({ planCacheClearFilters: 'things' })
    }
  })

  it.each([[[5, 6, 7]], [[null]]])(
    'are equal to after() once the plans for weights of %j are cached',
    async (weights) => {
      await things.createMany(
        Array.from({ length: 200 }, (_, i) =>
          aThing({ weight: weights[i % weights.length] ?? null, at: instants[i % 3] }),
        ),
      )
      for (let turn = 0; turn < 3; turn += 1) await walk({}, sort, 9)
      const cached = await database.db
        .collection('things')
        .aggregate([{ $planCacheStats: {} }])
        .toArray()
      expect(cached.some(({ isActive }) => isActive)).toBe(true)
      await database.db.collection('things').deleteMany({})
      await things.createMany(mixed.map(aThing))
      const expected = await codesInMemory({}, sort)
      for (const limit of [1, 2, 5]) expect(await walk({}, sort, limit)).toEqual(expected)
    },
  )

  it('are equal within the branches of where.or', async () => {
    await things.createMany(
      Array.from({ length: 200 }, (_, i) => aThing({ ...(i % 2 ? { weight: null } : {}), at: instants[i % 3] })),
    )
    const filter = where.and<Thing>(
      { tags: [] },
      where.or<Thing>({ weight: null, at: instants[0] }, { weight: null, at: instants[1] }, { weight: 1 }),
    )
    const expected = await codesInMemory({ weight: null, at: { $in: [instants[0], instants[1]] } }, sort)
    const codesOf = (found: readonly Thing[]) => found.map(({ code }) => code)
    expect(expected).toHaveLength(134)
    expect(await walk(filter, sort, 6)).toEqual(expected)
    expect(codesOf(await things.find(filter, { sort, limit: 6 }))).toEqual(expected.slice(0, 6))
    expect(codesOf((await things.page(filter, { sort, limit: 6, page: 2 })).items)).toEqual(expected.slice(6, 12))
    expect(await things.findOne(filter, { sort })).toMatchObject({ code: expected[0] })
    const documents = await things.findDocuments(filter, { sort, limit: 6 })
    expect(documents.map(({ code }) => code)).toEqual(expected.slice(0, 6))
    const streamed: string[] = []
    for await (const { code } of things.stream(filter, { sort, batchSize: 6 })) streamed.push(code)
    expect(streamed).toEqual(expected)
  })
})

describe('a filter of branches', () => {
  it('is still read from the index of each branch where the sort has no null', async () => {
    await things.createMany(
      Array.from({ length: 300 }, (_, i) => aThing({ color: i % 2 ? 'red' : 'blue', at: new Date(i) })),
    )
    const filter = where.or<Thing>({ color: 'red' }, { color: 'blue' })
    const [command] = await commandsOf(() => things.find(filter, { sort: { at: -1 }, limit: 5 }))
    const { executionStats } = await database.db.command({ explain: command, verbosity: 'executionStats' })
    expect(executionStats.totalKeysExamined).toBeLessThan(20)
  })
})

/** The codes of all that follows, page by page. */
async function walk(filter: Filter<Thing>, sort: Sort<Thing>, limit: number): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const slice: Awaited<ReturnType<typeof things.after>> = await things.after(filter, { sort, limit, cursor })
    seen.push(...slice.items.map(({ code }) => code))
    cursor = slice.nextCursor
  } while (cursor !== null)
  return seen
}

/** The codes in the order that the server makes without any index. */
async function codesInMemory(filter: Document, sort: object): Promise<string[]> {
  const found = database.db.collection('things').find(filter, { sort: { ...sort }, hint: { $natural: 1 } })
  return (await found.toArray()).map(({ code }) => code)
}

/** What a call asks the server to find. */
async function commandsOf(call: () => Promise<unknown>): Promise<Document[]> {
  const commands: Document[] = []
  const onCommand = ({ commandName, command }: { commandName: string; command: Document }) => {
    const { lsid, $db, $clusterTime, readConcern, ...find } = command
    if (commandName === 'find' && find.find === 'things') commands.push(find)
  }
  volt.database.client.on('commandStarted', onCommand)
  await call()
  volt.database.client.off('commandStarted', onCommand)
  return commands
}
