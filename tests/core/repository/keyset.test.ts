import fc from 'fast-check'
import { type Document, ObjectId } from 'mongodb'
import mongoose from 'mongoose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import type { EntityDescription } from '../../../src/core/entity.js'
import { ValidationError } from '../../../src/core/errors.js'
import type { SortDirection } from '../../../src/core/index-definition.js'
import { compileFilter } from '../../../src/core/repository/compile-filter.js'
import type { Filter } from '../../../src/core/repository/conditions.js'
import { where } from '../../../src/core/repository/conditions.js'
import type { Sort } from '../../../src/core/repository/selection.js'
import { aClassroom, keyRing } from '../../support/builders.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
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
})

/** Walks to the end, doing something between the pages. */
async function walk(
  filter: Filter<Thing>,
  sort: Sort<Thing>,
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
): Promise<Thing[]> {
  const seen: Thing[] = []
  let cursor: string | null = null
  do {
    const slice: Awaited<ReturnType<typeof things.after>> = await things.after(filter, { sort, limit, cursor })
    expect(slice.hasNext).toBe(slice.nextCursor !== null)
    seen.push(...slice.items)
    cursor = slice.nextCursor
    await between()
  } while (cursor !== null)
  return seen
}

const sorts: readonly Sort<Thing>[] = [
  {},
  { _id: -1 },
  { code: 1 },
  { code: -1 },
  { rank: 1 },
  { rank: -1 },
  { rank: 1, _id: 1 },
  { weight: -1, at: 1 },
  { weight: 1, at: -1 },
  { weight: 1, at: -1, _id: -1 },
]

const thingInput = fc.record(
  {
    rank: fc.integer({ min: 0, max: 3 }),
    weight: fc.option(fc.constantFrom(0, 1.5, -2, 1e9), { nil: null }),
    at: fc.constantFrom(new Date(0), new Date(1), new Date('2026-01-01')),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<ThingInput>>

describe('after()', () => {
  it('shows every document that was there all the time exactly once, while others come and go', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...sorts),
      fc.array(thingInput, { maxLength: 25 }),
      fc.array(fc.record({ added: fc.array(thingInput, { maxLength: 3 }), removed: fc.nat() }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 7 }),
      async (sort, inputs, events, limit) => {
        await database.db.collection('things').deleteMany({})
        const before = await things.createMany(inputs.map(aThing))
        const stay = new Set(before.filter((_, index) => index % 3 !== 0).map(({ code }) => code))
        const go = before.filter(({ code }) => !stay.has(code))
        const remaining = [...events]
        const seen = await walk({}, sort, limit, async () => {
          const event = remaining.shift()
          if (event === undefined) return
          await things.createMany(event.added.map(aThing))
          const gone = go.splice(event.removed % (go.length + 1), 1)
          for (const { _id } of gone) await things.delete(_id)
        })
        const codes = seen.map(({ code }) => code)
        expect(new Set(codes).size).toBe(codes.length)
        expect([...stay].filter((code) => !codes.includes(code))).toEqual([])
      },
    )
    await fc.assert(property, { numRuns: runs(25) })
  })

  it.each(sorts)('walks in the order in which find() sorts by %j', async (sort) => {
    await things.createMany(fc.sample(thingInput, { numRuns: 40, seed: 7 }).map(aThing))
    const total = '_id' in sort ? sort : { ...sort, _id: Object.values(sort).at(-1) ?? 1 }
    const expected = await things.find({}, { sort: total as Sort<Thing>, limit: 1000 })
    expect((await walk({}, sort, 6)).map(({ code }) => code)).toEqual(expected.map(({ code }) => code))
  })

  it('walks within a filter, and past soft-deleted documents only if asked to', async () => {
    const made = await things.createMany(
      Array.from({ length: 9 }, (_, rank) => aThing({ rank, color: rank % 2 ? 'red' : 'blue' })),
    )
    await things.delete(made[3]?._id ?? '')
    const ranks = async (options: object) =>
      (await things.after({ color: 'red' }, { sort: { at: -1 }, ...options })).items.map(({ rank }) => rank)
    expect((await ranks({})).sort()).toEqual([1, 5, 7])
    expect((await ranks({ withDeleted: true })).sort()).toEqual([1, 3, 5, 7])
  })

  it('reads no more than a page, however far it has come', async () => {
    await things.createMany(
      Array.from({ length: 3000 }, (_, rank) => aThing({ rank: Math.floor(rank / 700), color: 'red' })),
    )
    for (const [filter, sort] of [
      [{}, { rank: 1 }],
      [{ color: 'red' }, { at: -1 }],
    ] as const) {
      let cursor: string | null = null
      for (let page = 0; page < 2; page += 1) {
        const slice: { nextCursor: string | null } = await things.after(filter, { sort, limit: 1000, cursor })
        cursor = slice.nextCursor
      }
      const plans = await plansOf(() => things.after(filter, { sort, limit: 10, cursor }))
      expect(plans.length).toBeGreaterThan(0)
      expect(plans.reduce((sum, { keysExamined }) => sum + keysExamined, 0)).toBeLessThan(30)
      expect(plans.reduce((sum, { docsExamined }) => sum + docsExamined, 0)).toBeLessThan(30)
    }
  })

  it('selects without showing the fields that the cursor needs', async () => {
    await things.createMany([aThing({ rank: 1, label: 'one' }), aThing({ rank: 2, label: 'two' })])
    const first = await things.after({}, { sort: { rank: 1 }, select: ['label'], limit: 1 })
    expect(first.items).toEqual([{ _id: expect.any(ObjectId), label: 'one' }])
    const second = await things.after({}, { sort: { rank: 1 }, select: ['label'], limit: 1, cursor: first.nextCursor })
    expect(second.items).toEqual([{ _id: expect.any(ObjectId), label: 'two' }])
    expect(second).toMatchObject({ hasNext: false, nextCursor: null })
  })

  it('seals a cursor with values that the selection leaves out, and takes none that nobody has sealed', async () => {
    await things.createMany([aThing({ rank: 4711, label: 'one' }), aThing({ rank: 4712, label: 'two' })])
    const hidden = { sort: { rank: 1 }, select: ['label'], limit: 1 } as const
    const { nextCursor } = await things.after({}, hidden)
    expect(nextCursor).toMatch(/^av1\.first\./)
    expect(Buffer.from(nextCursor ?? '', 'base64url').toString('latin1')).not.toContain('4711')
    const open = await things.after({}, { sort: { rank: 1 }, limit: 1 })
    expect(Buffer.from(open.nextCursor ?? '', 'base64url').toString()).toContain('4711')
    for (const cursor of [open.nextCursor, nextCursor?.replace(/.$/, 'A'), 'av1.first.x']) {
      await expect(things.after({}, { ...hidden, cursor })).rejects.toMatchObject({ issues: [{ path: 'cursor' }] })
    }
    const other = { sort: { weight: -1, at: 1 }, select: ['label'], limit: 1 } as const
    await expect(things.after({}, { ...other, cursor: nextCursor })).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('is refused where it would have to be sealed and the handle has no keys', async () => {
    const keyless = await AutoVolt.open({ uri: database.uri, dbName: database.dbName })
    cleanUpLater(() => keyless.close())
    const hidden = keyless.repository(thingEntity).after({}, { sort: { rank: 1 }, select: ['label'] })
    await expect(hidden).rejects.toMatchObject({ code: 'KEY_RING' })
  })

  it('leaves secrets out', async () => {
    await things.create(aThing({ secret: 'hidden' }))
    expect((await things.after()).items[0]).not.toHaveProperty('secret')
  })
})

describe('a sort', () => {
  it.each<Sort<Thing>>([
    { label: 1 },
    { rank: 1, code: 1 },
    { weight: 1, at: 1 },
    { at: 1 },
    { color: 1 },
    { rank: 1, _id: -1 },
  ])('%j is refused, for which no index is declared', async (sort) => {
    await expect(things.after({}, { sort })).rejects.toMatchObject({
      code: 'UNINDEXED_SORT',
      message: expect.stringMatching(
        /^No index of things serves the sort \{ .+ \}: (declare one that ends so|one would if the filter fixed .+ to one value)$/,
      ),
    })
  })

  it.each<Sort<Thing>>([{ tags: 1 }, { mixed: 1 }, { size: 1 }, { 'parts.count': 1 }, { parts: 1 }])(
    '%j is refused, because its values have no one order',
    async (sort) => {
      await expect(things.after({}, { sort })).rejects.toBeInstanceOf(ValidationError)
    },
  )

  it('is served by an index whose other fields the filter fixes', async () => {
    await expect(things.after({}, { sort: { at: -1 } })).rejects.toMatchObject({ code: 'UNINDEXED_SORT' })
    await expect(things.after({ color: where.in(['red']) }, { sort: { at: -1 } })).rejects.toMatchObject({
      code: 'UNINDEXED_SORT',
    })
    await expect(things.after({ color: 'red' }, { sort: { at: -1 } })).resolves.toMatchObject({ items: [] })
    await expect(things.after({ tags: ['a', 'b'] }, { sort: { _id: 1 } })).resolves.toMatchObject({ items: [] })
  })
})

describe('the server', () => {
  const directions = [1, -1] as const

  it('sorts nothing in memory for any sort that an index of the library is declared for', async () => {
    await volt.classrooms.createMany(Array.from({ length: 30 }, (_, floor) => aClassroom({ floor: floor % 5 })))
    let judged = 0
    for (const key of ['classrooms', 'devices', 'quarantine', 'ledger', 'activities', 'powerSettings'] as const) {
      const reader = volt[key] as unknown as Things
      for (const { key: indexed } of volt.entityOf(key).indexes) {
        // By bytes nothing is sorted.
        if (Object.keys(indexed).includes('personalCommitment')) continue
        // A place, and words, have no order.
        if (Object.values(indexed).some((kind) => typeof kind === 'string')) continue
        const names = Object.keys(indexed).filter((name) => name !== 'deletedAt')
        for (let fixed = 0; fixed < names.length; fixed += 1) {
          for (const direction of directions) {
            const filter = Object.fromEntries(
              names.slice(0, fixed).map((name) => [name, valueFor(reader.entity, name)]),
            )
            const sort = sortAlong(indexed, names.slice(fixed), direction)
            // The values of a list have no one order.
            if (Object.keys(sort).some((name) => /^(switches|capabilities|assignedUsers)\b/.test(name))) {
              const sorted = reader.after(filter as never, { sort: sort as never, limit: 2 })
              await expect(sorted).rejects.toMatchObject({ code: 'VALIDATION' })
              continue
            }
            judged += await expectNoSort(reader, filter, sort)
          }
        }
      }
    }
    expect(judged).toBeGreaterThan(20)
  })

  it('sorts nothing in memory on any page of things', async () => {
    await things.createMany(
      fc.sample(thingInput, { numRuns: 60, seed: 3 }).map((input) => aThing({ ...input, color: 'red' })),
    )
    for (const sort of sorts) expect(await expectNoSort(things, {}, sort as Record<string, SortDirection>)).toBe(1)
    for (const direction of directions) {
      expect(await expectNoSort(things, { color: 'red' }, { at: direction })).toBe(1)
      expect(await expectNoSort(things, { color: 'red', fresh: null }, { at: direction, _id: direction })).toBe(1)
    }
  })

  it('takes equalities inside where.and, and says which one an index would need', async () => {
    const red = where.and<Thing>({ color: 'red' }, where.and<Thing>({ fresh: true }))
    expect(await things.after(red, { sort: { at: -1 } })).toMatchObject({ nextCursor: null })
    await expect(things.after(where.or<Thing>({ color: 'red' }), { sort: { at: -1 } })).rejects.toMatchObject({
      code: 'UNINDEXED_SORT',
      message: expect.stringContaining('one would if the filter fixed weight to one value'),
    })
  })

  /** One that a filter on the field takes. */
  function valueFor(entity: EntityDescription, name: string): unknown {
    return ['x', new ObjectId(), new Date(0), 'AA:BB:CC:DD:EE:FF', 'storage', 'online'].find((value) => {
      try {
        return compileFilter(entity, { [name]: value })
      } catch {
        return false
      }
    })
  }

  /** @returns 0 where the sort is refused. */
  async function expectNoSort(
    reader: Things,
    filter: Record<string, unknown>,
    sort: Record<string, SortDirection>,
  ): Promise<number> {
    const first = await reader.after(filter as never, { sort: sort as never, limit: 2 }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'UNINDEXED_SORT' })
    })
    if (first === undefined) return 0
    for (const cursor of [null, first.nextCursor]) {
      const plans = await plansOf(() => reader.after(filter as never, { sort: sort as never, limit: 2, cursor }))
      expect(plans.length).toBeGreaterThan(0)
      // The server may sort the one document that an equality with a unique value has left.
      const ofMany = plans.filter(({ docsExamined }) => docsExamined > 1)
      const inMemory = ofMany.flatMap(({ stages }) =>
        stages.filter((stage) => stage === 'SORT' || stage === 'COLLSCAN'),
      )
      expect({ filter, sort, inMemory }).toEqual({ filter, sort, inMemory: [] })
    }
    return 1
  }
})

function sortAlong(indexed: Readonly<Record<string, unknown>>, names: readonly string[], sign: 1 | -1) {
  return Object.fromEntries(names.map((name) => [name, (Number(indexed[name]) * sign) as SortDirection]))
}

interface Plan {
  readonly stages: readonly string[]
  readonly keysExamined: number
  readonly docsExamined: number
}

/** How the server runs what the call asks for. */
async function plansOf(call: () => Promise<unknown>): Promise<Plan[]> {
  const commands: Document[] = []
  const onCommand = ({ commandName, command }: { commandName: string; command: Document }) => {
    if (commandName === 'find' && command.find !== 'restore_journals') commands.push(command)
  }
  volt.database.client.on('commandStarted', onCommand)
  await call()
  volt.database.client.off('commandStarted', onCommand)
  return Promise.all(
    commands.map(async ({ lsid, $db, $clusterTime, readConcern, ...find }) => {
      const { executionStats, queryPlanner } = await database.db.command({ explain: find, verbosity: 'executionStats' })
      return {
        stages: stagesOf(queryPlanner.winningPlan),
        keysExamined: executionStats.totalKeysExamined,
        docsExamined: executionStats.totalDocsExamined,
      }
    }),
  )
}

function stagesOf(plan: Document): string[] {
  const inner = [plan.inputStage ?? [], plan.inputStages ?? [], plan.thenStage ?? []].flat() as Document[]
  return [String(plan.stage), ...inner.flatMap(stagesOf)]
}

describe('a cursor', () => {
  it.each([
    ['no cursor at all', 'nonsense'],
    ['an empty text', ''],
    ['JSON that is none', Buffer.from('[]').toString('base64url')],
    ['values that are operators', encode({ s: 'rank,_id', v: [{ $gt: 0 }, 1] })],
    ['values that say what they are', encode({ s: 'rank,_id', v: [{ _bsontype: 'ObjectId' }, 1] })],
    ['code as a value', encode({ s: 'rank,_id', v: [{ $code: 'x' }, 1] })],
    ['a pattern as a value', encode({ s: 'rank,_id', v: [{ $regularExpression: { pattern: '.', options: '' } }, 1] })],
    ['an impossible date', encode({ s: 'rank,_id', v: [{ $date: 'x' }, 1] })],
    ['too few values', encode({ s: 'rank,_id', v: [1] })],
    ['the cursor of another sort', encode({ s: '-rank,_id', v: [1, 1] })],
    ['no values', encode({ s: 'rank,_id' })],
    ['an endless text', 'x'.repeat(20_000)],
    ['a number', 5 as never],
    ['an object', { $gt: '' } as never],
  ])('is refused that is %s', async (_, cursor) => {
    await things.create(aThing({ rank: 1 }))
    await expect(things.after({}, { sort: { rank: 1 }, cursor })).rejects.toMatchObject({
      name: 'ValidationError',
      issues: [{ path: 'cursor' }],
    })
  })

  it('can only ever move within what the filter allows', async () => {
    const made = await things.createMany([aThing({ rank: 1, color: 'red' }), aThing({ rank: 2, color: 'blue' })])
    const forged = encode({ s: 'rank,_id', v: [{ $numberInt: '0' }, { $oid: '0'.repeat(24) }] })
    const slice = await things.after({ color: 'red' }, { sort: { rank: 1 }, cursor: forged })
    expect(slice.items.map(({ _id }) => _id)).toEqual([made[0]?._id])
  })

  it('is safe in a URL', async () => {
    await things.createMany([aThing({ weight: 0.1 }), aThing({ weight: null }), aThing()])
    const { nextCursor } = await things.after({}, { sort: { weight: -1, at: 1 }, limit: 1 })
    expect(nextCursor).toMatch(/^[A-Za-z0-9_-]+$/)
  })
})

function encode(content: unknown): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url')
}
