import { describe, expect, it } from 'vitest'
import { Contention } from '../../../src/ledger/append/contention.js'

const items = (...chains: string[]) => chains.map((chain, place) => ({ chain, place }))

describe('chains that others write to as well', () => {
  it('are written beside the others, in one order of the chains, each in its own order', () => {
    const contention = new Contention()
    const batch = items('c', 'calm', 'a', 'c', 'a')
    expect(contention.groups(batch)).toEqual([batch])
    for (const chain of ['c', 'a']) contention.collided(chain)
    const placesOf = contention.groups(batch).map((group) => group.map(({ place }) => place))
    expect(placesOf).toEqual([[1], [2, 4, 0, 3]])
  })

  it('are taken to be ours alone again after some writes that nobody was in the way of', () => {
    const contention = new Contention()
    contention.collided('a')
    expect(contention.has('a')).toBe(true)
    for (let write = 0; write < 30; write += 1) contention.passed(['a', 'b'], 1)
    expect(contention.has('a')).toBe(false)
  })

  it('are not waited for after one collision, and never for ever', async () => {
    const contention = new Contention()
    contention.collided('a')
    await contention.turn()
    for (let collision = 0; collision < 100; collision += 1) contention.collided('a')
    await contention.turn()
  })
})
