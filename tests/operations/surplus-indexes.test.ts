import { describe, expect, it } from 'vitest'
import type { IndexUse } from '../../src/operations/indexes/index-use.js'
import { redundantIndexes, unusedIndexes } from '../../src/operations/indexes/surplus-indexes.js'

const now = new Date('2026-11-29T10:00:00Z')
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000)
const nobody = () => null

function anIndex(key: IndexUse['key'], rest: Partial<IndexUse> = {}): IndexUse {
  return {
    collection: 'things',
    name: Object.entries(key).flat().join('_'),
    key,
    options: {},
    sizeBytes: 4_096,
    members: [{ host: 'a:1', uses: 0, since: daysAgo(10) }],
    unreached: [],
    ...rest,
  }
}

describe('an unused index', () => {
  const unused = (index: IndexUse, minimumDays = 7) =>
    unusedIndexes([index], { now, minimumDays, declaredFor: nobody }).map(({ kind }) => kind)

  it('is one that no member has used for long enough', () => {
    expect(unused(anIndex({ a: 1 }))).toEqual(['unused'])
    expect(unused(anIndex({ a: 1 }), 11)).toEqual([])
    const used = { host: 'b:1', uses: 1, since: daysAgo(10) }
    const young = { host: 'b:1', uses: 0, since: daysAgo(1) }
    const idle = { host: 'a:1', uses: 0, since: daysAgo(10) }
    expect(unused(anIndex({ a: 1 }, { members: [idle, used] }))).toEqual([])
    expect(unused(anIndex({ a: 1 }, { members: [idle, young] }))).toEqual([])
  })

  it.each([
    ['of _id', { name: '_id_' }],
    ['unique', { options: { unique: true } }],
    ['one that removes documents', { options: { expireAfterSeconds: 60 } }],
    ['one of which a member says nothing', { unreached: ['b:1'] }],
    ['one that was never counted', { members: [] }],
  ])('is none that is %s', (_, rest) => {
    expect(unused(anIndex({ a: 1 }, rest))).toEqual([])
  })

  it('can be dropped once it was hidden for long enough', () => {
    const [advice] = unusedIndexes([anIndex({ a: 1 }, { options: { hidden: true, sparse: true } })], {
      now,
      minimumDays: 7,
      declaredFor: () => 'the things by a',
    })
    expect(advice).toMatchObject({
      kind: 'hidden',
      daysSeen: 10,
      declaredFor: 'the things by a',
      undo: 'createIndex({"a":1}, {"name":"a_1","sparse":true})',
    })
  })
})

describe('a redundant index', () => {
  const redundant = (...indexes: IndexUse[]) =>
    redundantIndexes(indexes, nobody).map((advice) =>
      advice.kind === 'redundant' ? [advice.index, advice.coveredBy] : [],
    )

  it('is one whose key another one begins with', () => {
    expect(redundant(anIndex({ a: 1 }), anIndex({ a: 1, b: -1 }))).toEqual([['a_1', 'a_1_b_-1']])
    expect(redundant(anIndex({ a: 1 }), anIndex({ b: 1, a: 1 }))).toEqual([])
    expect(redundant(anIndex({ a: 1 }), anIndex({ a: -1, b: 1 }))).toEqual([])
    expect(redundant(anIndex({ a: 1 }), anIndex({ a: 1, b: 1 }, { collection: 'others' }))).toEqual([])
  })

  it.each([
    ['partial', { partialFilterExpression: { a: 1 } }],
    ['sparse', { sparse: true }],
    ['unique', { unique: true }],
    ['one that removes documents', { expireAfterSeconds: 60 }],
    ['of another collation', { collation: { locale: 'de' } }],
    ['hidden', { hidden: true }],
  ])('is none that is %s', (_, options) => {
    expect(redundant(anIndex({ a: 1 }, { options }), anIndex({ a: 1, b: 1 }))).toEqual([])
  })

  it.each([
    ['partial', { partialFilterExpression: { a: 1 } }],
    ['sparse', { sparse: true }],
    ['of another collation', { collation: { locale: 'de' } }],
    ['hidden', { hidden: true }],
  ])('is not covered by one that is %s', (_, options) => {
    expect(redundant(anIndex({ a: 1 }), anIndex({ a: 1, b: 1 }, { options }))).toEqual([])
  })

  it('is none of words, of places, or of any field', () => {
    const others = anIndex({ a: 1, b: 1 })
    expect(redundant(anIndex({ a: 'text' }), anIndex({ a: 'text', b: 1 }), others)).toEqual([])
    expect(redundant(anIndex({ a: '2dsphere' }), anIndex({ a: '2dsphere', b: 1 }))).toEqual([])
    expect(redundant(anIndex({ 'a.$**': 1 }), others)).toEqual([])
  })
})
