import { BSON, Decimal128, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { gate } from '../../support/gate.js'
import { SettableClock } from '../../support/settable-clock.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
const entries = database.db.collection('analytics_cache')
const clock = new SettableClock()
const warnings: unknown[] = []
let volt: AutoVolt
let serial = 0

beforeAll(async () => {
  const log = () => undefined
  const logger = { debug: log, info: log, error: log, warn: (about: unknown) => warnings.push(about) }
  volt = await openVolt(database, { clock, logger: logger as never })
  await volt.setup()
})

/** Parameters that no other test has. */
function parametersOfTest() {
  serial += 1
  return { test: serial }
}

const march = { fromDay: '2026-03-01', toDay: '2026-03-31' }

describe('getOrCompute()', () => {
  it('computes what is not there, and keeps it for an hour', async () => {
    const parameters = { ...parametersOfTest(), classroom: new ObjectId(), from: new Date('2026-03-01T00:00:00Z') }
    const data = { rows: [{ energyKwh: 1.5 }], total: 1.5 }
    let computed = 0
    const ask = () =>
      volt.analyticsCache.getOrCompute(
        'daily_consumption',
        parameters,
        async () => {
          computed += 1
          return data
        },
        { dependsOn: march },
      )
    expect(await ask()).toEqual(data)
    expect(await ask()).toEqual(data)
    expect(computed).toBe(1)
    const entry = await volt.analyticsCache.findOne({ cacheType: 'daily_consumption' })
    expect(entry).toMatchObject({
      parameters,
      data,
      dependsOn: march,
      dataSize: BSON.calculateObjectSize({ data }),
      computationTime: expect.any(Number),
      __v: 1,
    })
    expect(entry?.cacheKey).toMatch(/^daily_consumption:[0-9a-f]{64}$/)
    expect(Number(entry?.expiresAt) - Number(entry?.lastUpdated)).toBe(3_600_000)
    expect(entry?.claim).toBeUndefined()
  })

  it('gives the same types back to who computed, who waited and who came later, each a copy', async () => {
    const data = {
      at: new Date('2026-03-29T01:30:00Z'),
      device: new ObjectId(),
      exact: Decimal128.fromString('1.10'),
      numbers: [0.1, -0, 2 ** 53, 5, Number.NaN],
      none: null,
      left: undefined,
      'Lab 2.1': { $sum: 1, '': [[], {}] },
    }
    const { left, ...kept } = data
    const parameters = parametersOfTest()
    const start = gate<typeof data>()
    const ask = () => volt.analyticsCache.getOrCompute('peak_hours', parameters, () => start.opened)
    const all = [ask(), ask(), ask()]
    start.open(data)
    const answers = [...(await Promise.all(all)), await ask()]
    for (const answer of answers) {
      expect(answer).toStrictEqual(kept)
      answer.at.setTime(0)
      answer.numbers.length = 0
    }
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toStrictEqual(kept)
    expect(data.at).toEqual(new Date('2026-03-29T01:30:00Z'))
  })

  it.each([
    ['a Map', { rows: new Map() }, 'rows'],
    ['a bigint', { rows: [{ cost: 1n }] }, 'rows.0.cost'],
    ['a function', { rows: () => [] }, 'rows'],
    ['a date that is none', [new Date(Number.NaN)], '0'],
    ['nothing', undefined, ''],
    ['nothing in a list', [undefined], '0'],
    ['an instance of a class', { volt: new SettableClock() }, 'volt'],
    ['half a character', ['\ud800'], '0'],
    ['what looks like an id', { id: { _bsontype: 'ObjectId' } }, 'id._bsontype'],
  ])('refuses data with %s, which would not come back as it was', async (_, data, path) => {
    const parameters = parametersOfTest()
    const attempt = volt.analyticsCache.getOrCompute('peak_hours', parameters, () => data)
    await expect(attempt).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path }] })
    expect(await entries.countDocuments({ parameters })).toBe(0)
  })

  it('refuses types, parameters and options that cannot be used', async () => {
    const ask = (type: string, parameters: object, options = {}) =>
      volt.analyticsCache.getOrCompute(type, parameters, () => 1, options)
    const circle: Record<string, unknown> = {}
    circle.itself = circle
    for (const attempt of [
      ask('Peak hours', {}),
      ask('peak_hours', []),
      ask('peak_hours', { device: new Map() }),
      ask('peak_hours', circle),
      ask('peak_hours', { text: 'x'.repeat(20_000) }),
      ask('peak_hours', {}, { ttlMs: 0 }),
      ask('peak_hours', {}, { ttl: 5 }),
      ask('peak_hours', {}, { dependsOn: { fromDay: '2026-03-02', toDay: '2026-03-01' } }),
      ask('peak_hours', {}, { dependsOn: { ...march, devices: [] } }),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'VALIDATION' })
    }
  })

  it('computes once for all who ask at once', async () => {
    const parameters = parametersOfTest()
    const start = gate<number>()
    let computed = 0
    const compute = () => {
      computed += 1
      return start.opened
    }
    const ask = () => volt.analyticsCache.getOrCompute('peak_hours', parameters, compute)
    const all = Array.from({ length: 30 }, ask)
    await eventually('somebody computes', () => computed === 1)
    all.push(ask())
    start.open(7)
    expect(new Set(await Promise.all(all))).toEqual(new Set([7]))
    expect(computed).toBe(1)
  })

  it('gives an error to all who wait, and keeps nothing of it', async () => {
    const parameters = parametersOfTest()
    const start = gate()
    let computed = 0
    const ask = () =>
      volt.analyticsCache.getOrCompute('peak_hours', parameters, async () => {
        computed += 1
        await start.opened
        if (computed === 1) throw new Error('no figures yet')
        return computed
      })
    const all = Promise.allSettled([ask(), ask(), ask()])
    await eventually('somebody computes', () => computed === 1)
    start.open()
    const reasons = (await all).map((result) => (result.status === 'rejected' ? String(result.reason) : result.value))
    // Whichever looks for it only after the end computes for itself.
    expect(reasons).toContain('Error: no figures yet')
    expect(reasons.every((reason) => reason === 'Error: no figures yet' || reason === 2)).toBe(true)
    expect(await ask()).toBe(2)
  })

  it('gives data back that cannot be stored, and says so in the log', async () => {
    const parameters = parametersOfTest()
    const validator = { data: { $exists: false } }
    await database.db.command({ collMod: 'analytics_cache', validator })
    try {
      expect(await volt.analyticsCache.getOrCompute('peak_hours', parameters, () => 5)).toBe(5)
      expect(warnings).toMatchObject([{ error: { code: 'VALIDATION' } }])
    } finally {
      await volt.setup()
    }
  })
})

describe('data that is too large for a document', () => {
  const megabyte = 'x'.repeat(1024 * 1024)

  it('is computed and given back each time, and not stored', async () => {
    const parameters = parametersOfTest()
    const large = Array.from({ length: 17 }, () => megabyte)
    let computed = 0
    const ask = () =>
      volt.analyticsCache.getOrCompute('peak_hours', parameters, () => {
        computed += 1
        return large
      })
    expect((await ask()).length).toBe(17)
    expect((await ask()).length).toBe(17)
    expect(computed).toBe(2)
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toBeUndefined()
    const entry = await entries.findOne({ parameters })
    expect(entry).toMatchObject({ dataSize: BSON.calculateObjectSize({ data: large }) })
    expect(entry).not.toHaveProperty('data')
  })

  it('is no more than what is a little smaller', async () => {
    const parameters = parametersOfTest()
    const large = Array.from({ length: 15 }, () => megabyte)
    large.push('x'.repeat(700 * 1024))
    await volt.analyticsCache.setCachedData('peak_hours', parameters, large)
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toEqual(large)
  })
})

describe('what has expired', () => {
  it('is not served, though the database still has it', async () => {
    const parameters = parametersOfTest()
    let computed = 0
    const ask = () =>
      volt.analyticsCache.getOrCompute(
        'peak_hours',
        parameters,
        () => {
          computed += 1
          return computed
        },
        { ttlMs: 7_200_000 },
      )
    expect(await ask()).toBe(1)
    clock.advance(3_600_000)
    expect(await ask()).toBe(1)
    clock.advance(3_600_000)
    expect(await entries.countDocuments({ parameters })).toBe(1)
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toBeUndefined()
    expect(await ask()).toBe(2)
    expect(await entries.countDocuments({ parameters })).toBe(1)
  })

  it('is removed by cleanExpired(), which leaves alone what is being computed', async () => {
    const [old, fresh, running] = [parametersOfTest(), parametersOfTest(), parametersOfTest()]
    await volt.analyticsCache.cleanExpired()
    await volt.analyticsCache.setCachedData('peak_hours', old, 'old', { ttlMs: 1_000 })
    await volt.analyticsCache.setCachedData('peak_hours', fresh, 'fresh', { ttlMs: 86_400_000 })
    const start = gate<string>()
    const computing = volt.analyticsCache.getOrCompute('peak_hours', running, () => start.opened)
    await eventually('it is claimed', () => entries.countDocuments({ parameters: running }))
    clock.advance(1_000)
    expect(await volt.analyticsCache.cleanExpired()).toBe(1)
    expect(await entries.countDocuments({ parameters: old })).toBe(0)
    start.open('computed')
    await computing
    expect(await volt.analyticsCache.getCachedData('peak_hours', running)).toBe('computed')
    expect(await volt.analyticsCache.getCachedData('peak_hours', fresh)).toBe('fresh')
  })

  it('goes by itself: the index on its date is one by which the database removes', async () => {
    const indexes = await entries.listIndexes().toArray()
    expect(indexes).toContainEqual(expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }))
  })
})

describe('setCachedData()', () => {
  it('replaces what is there, and what is being computed', async () => {
    const parameters = parametersOfTest()
    const start = gate<string>()
    const computing = volt.analyticsCache.getOrCompute('peak_hours', parameters, () => start.opened)
    await eventually('it is claimed', () => entries.countDocuments({ parameters }))
    await volt.analyticsCache.setCachedData('peak_hours', parameters, 'one', { computationTimeMs: 4.5 })
    await volt.analyticsCache.setCachedData('peak_hours', parameters, null, { computationTimeMs: 4.5 })
    start.open('computed')
    expect(await computing).toBe('computed')
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toBeNull()
    expect(await entries.find({ parameters }).toArray()).toMatchObject([{ data: null, computationTime: 4.5, __v: 0 }])
  })
})

describe('inside a transaction', () => {
  it('the cache is left out: what is seen there may never be committed', async () => {
    const parameters = parametersOfTest()
    await volt.analyticsCache.setCachedData('peak_hours', parameters, 'kept')
    const seen = await volt.transaction(() =>
      volt.analyticsCache.getOrCompute('peak_hours', parameters, () => 'computed'),
    )
    expect(seen).toBe('computed')
    expect(await volt.analyticsCache.getCachedData('peak_hours', parameters)).toBe('kept')
  })

  it('nothing is kept or invalidated', async () => {
    const refusal = { code: 'TRANSACTION' }
    const keep = volt.transaction(() => volt.analyticsCache.setCachedData('peak_hours', parametersOfTest(), 1))
    await expect(keep).rejects.toMatchObject(refusal)
    await expect(volt.transaction(() => volt.analyticsCache.invalidate(march))).rejects.toMatchObject(refusal)
  })
})
