import { describe, expect, it } from 'vitest'
import { Contention } from '../../../src/ledger/append/contention.js'

describe('chains that others write to as well', () => {
  it('are taken to be ours alone again after some writes that nobody was in the way of', () => {
    const contention = new Contention()
    for (const chain of ['a', 'b']) contention.noticed(chain)
    expect([...contention.chains]).toEqual(['a', 'b'])
    for (let write = 0; write < 29; write += 1) contention.passed(['a', 'c'])
    expect([contention.has('a'), contention.has('b'), contention.has('c')]).toEqual([true, true, false])
    contention.passed(['a'])
    expect([...contention.chains]).toEqual(['b'])
  })

  it('are contended for longer when somebody is noticed again', () => {
    const contention = new Contention()
    contention.noticed('a')
    for (let write = 0; write < 29; write += 1) contention.passed(['a'])
    contention.noticed('a')
    contention.passed(['a'])
    expect(contention.has('a')).toBe(true)
  })
})
