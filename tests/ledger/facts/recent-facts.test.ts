import { describe, expect, it } from 'vitest'
import { type Fact, factOf } from '../../../src/ledger/facts/fact.js'
import { RecentFacts } from '../../../src/ledger/facts/recent-facts.js'
import { anEvent, at } from '../support/events.js'

function factAt(seconds: number): Fact {
  const fact = factOf(anEvent({ timestamp: at(seconds), idempotencyKey: `k${seconds}` }))
  if (fact === undefined) throw new Error('The event is no fact')
  return fact
}

describe('the recent facts of a chain', () => {
  it('know the two between which a late one falls', () => {
    const [first, second, third] = [factAt(1), factAt(2), factAt(3)]
    const recent = new RecentFacts([first, second, third])
    expect(recent.neighboursOf(factAt(2.5))).toEqual({ before: second, after: third })
  })

  it('do not know what is before the first of them, nor after the last', () => {
    const recent = new RecentFacts([factAt(1), factAt(2)])
    expect(recent.neighboursOf(factAt(0))).toBeUndefined()
    expect(recent.neighboursOf(factAt(3))).toBeUndefined()
  })

  it('take in those that come late, but none before the first', () => {
    const recent = new RecentFacts([factAt(1), factAt(5)])
    for (const seconds of [3, 0]) recent.add(factAt(seconds))
    expect(recent.neighboursOf(factAt(4))?.before.atMs).toBe(factAt(3).atMs)
    expect(recent.neighboursOf(factAt(0.5))).toBeUndefined()
  })

  it('stay few where facts come in order', () => {
    const recent = new RecentFacts([])
    for (let seconds = 0; seconds < 100; seconds += 1) recent.add(factAt(seconds))
    expect(recent.neighboursOf(factAt(90.5))).toBeUndefined()
    expect(recent.neighboursOf(factAt(98.5))).toBeDefined()
  })

  it('stay many where others append as well: a fact may have happened before any of theirs', () => {
    const recent = new RecentFacts([factAt(0)])
    recent.addOfOthers(Array.from({ length: 100 }, (_, second) => factAt(second + 1)))
    expect(recent.neighboursOf(factAt(0.5))).toBeDefined()
  })
})
