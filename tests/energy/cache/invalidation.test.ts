import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { CacheDependencies } from '../../../src/energy/cache/dependencies.js'
import { aCacheEntry } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { runs } from '../../support/extent.js'
import { gate } from '../../support/gate.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
const entries = database.db.collection('analytics_cache')
const operations: string[] = []
let volt: AutoVolt

beforeAll(async () => {
  const log = () => undefined
  const debug = (about: { operation: string }) => operations.push(about.operation)
  volt = await openVolt(database, { logger: { debug, info: log, warn: log, error: log } as never, logQueries: true })
  await volt.setup()
})

const ids = [new ObjectId(), new ObjectId(), new ObjectId()]
const days = ['2025-12-31', '2026-01-01', '2026-01-02', '2026-02-28', '2026-03-01', '2026-03-02']
const someIds = fc.option(fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 2 }), { nil: undefined })
const dependencies = fc
  .record({ one: fc.constantFrom(...days), other: fc.constantFrom(...days), classrooms: someIds, devices: someIds })
  .map(({ one, other, classrooms, devices }) => {
    const [fromDay = '', toDay = ''] = [one, other].sort()
    return { fromDay, toDay, ...(classrooms && { classrooms }), ...(devices && { devices }) }
  })

type Places = readonly (ObjectId | string)[] | undefined

const meet = (some: Places, others: Places) =>
  some === undefined || others === undefined || some.some((id) => others.some((other) => String(id) === String(other)))

const overlap = (one: CacheDependencies, other: CacheDependencies) =>
  one.fromDay <= other.toDay &&
  other.fromDay <= one.toDay &&
  meet(one.classrooms, other.classrooms) &&
  meet(one.devices, other.devices)

describe('invalidate()', () => {
  it('removes what depends on what has changed, and nothing else', async () => {
    const property = fc.asyncProperty(
      fc.array(dependencies, { minLength: 20, maxLength: 20 }),
      dependencies,
      async (all, changed) => {
        await entries.deleteMany({})
        const managed = { createdAt: new Date(), updatedAt: new Date(), __v: 0 }
        await entries.insertMany(all.map((dependsOn) => ({ ...aCacheEntry(), dependsOn, ...managed }) as never))
        const kept = all.filter((dependsOn) => !overlap(dependsOn, changed))
        expect(await volt.analyticsCache.invalidate(changed)).toBe(all.length - kept.length)
        const left = await entries.find().toArray()
        expect(left.map(({ dependsOn }) => dependsOn)).toEqual(kept)
      },
    )
    await fc.assert(property, { numRuns: runs(12) })
  })

  it('removes what does not say what it depends on, whatever has changed', async () => {
    await volt.analyticsCache.setCachedData('peak_hours', {}, 1)
    await volt.analyticsCache.invalidate({ fromDay: '2026-03-01', toDay: '2026-03-01', devices: ids })
    expect(await volt.analyticsCache.getCachedData('peak_hours', {})).toBeUndefined()
  })

  it('is one command on an index of the days, for any number of days', async () => {
    operations.length = 0
    await volt.analyticsCache.invalidate({ fromDay: '2020-01-01', toDay: '2026-12-31', devices: ids })
    expect(operations).toEqual(['deleteMany'])
    const days = { 'dependsOn.toDay': { $gte: '2026-03-01' }, 'dependsOn.fromDay': { $lte: '2026-03-31' } }
    const { queryPlanner } = await entries.find(days).explain()
    expect(JSON.stringify(queryPlanner.winningPlan)).toContain('"dependsOn.toDay_1_dependsOn.fromDay_1"')
  })

  it('refuses days that are none', async () => {
    for (const changed of [{ fromDay: '2026-02-30', toDay: '2026-03-01' }, { fromDay: '2026-03-01' }]) {
      await expect(volt.analyticsCache.invalidate(changed as never)).rejects.toMatchObject({ code: 'VALIDATION' })
    }
  })
})

describe('a computation during which its figures change', () => {
  const march = { fromDay: '2026-03-01', toDay: '2026-03-31' }

  /** Asks, and stops where the figures have been read and the answer is not there yet. */
  function slowQuestion(parameters: object, answer: string) {
    const [begun, end] = [gate(), gate()]
    const compute = async () => {
      begun.open()
      await end.opened
      return answer
    }
    const answered = volt.analyticsCache.getOrCompute('peak_hours', parameters, compute, { dependsOn: march })
    return { answered, begun: begun.opened, end: () => end.open() }
  }

  it('is not kept', async () => {
    const slow = slowQuestion({ test: 'not kept' }, 'old')
    await slow.begun
    await volt.analyticsCache.invalidate({ fromDay: '2026-03-31', toDay: '2026-04-02' })
    slow.end()
    expect(await slow.answered).toBe('old')
    expect(await volt.analyticsCache.getCachedData('peak_hours', { test: 'not kept' })).toBeUndefined()
  })

  it('is kept if other days change', async () => {
    const slow = slowQuestion({ test: 'kept' }, 'old')
    await slow.begun
    await volt.analyticsCache.invalidate({ fromDay: '2026-04-01', toDay: '2026-04-02' })
    slow.end()
    expect(await slow.answered).toBe('old')
    expect(await volt.analyticsCache.getCachedData('peak_hours', { test: 'kept' })).toBe('old')
  })

  it('is not what those get who ask after the change, whichever ends first', async () => {
    const parameters = { test: 'asked again' }
    const slow = slowQuestion(parameters, 'old')
    await slow.begun
    await volt.analyticsCache.invalidate(march)
    const next = slowQuestion(parameters, 'new')
    await next.begun
    slow.end()
    expect(await slow.answered).toBe('old')
    const joined = volt.analyticsCache.getOrCompute('peak_hours', parameters, () => 'a third')
    next.end()
    expect(await Promise.all([next.answered, joined])).toEqual(['new', 'new'])
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toBe('new')
  })

  it('does not take the place of what was computed after the change', async () => {
    const parameters = { test: 'overtaken' }
    const slow = slowQuestion(parameters, 'old')
    await slow.begun
    await volt.analyticsCache.invalidate(march)
    expect(await volt.analyticsCache.getOrCompute('peak_hours', parameters, () => 'new')).toBe('new')
    slow.end()
    await slow.answered
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toBe('new')
    await eventually(
      'nothing is left of the claim',
      async () => (await entries.countDocuments({ claim: { $exists: true } })) === 0,
    )
  })
})
