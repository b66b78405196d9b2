import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from '../../src/core/turns.js'

it('runs calls about one thing one after the other, and of others beside them', async () => {
  const turns = new Turns()
  const log: string[] = []
  const work = (name: string, durationMs: number) => async () => {
    log.push(`${name} begins`)
    await sleep(durationMs)
    log.push(`${name} ends`)
    if (name === 'b') throw new Error('b failed')
    return name
  }
  const ends = await Promise.allSettled([
    turns.take('x', work('a', 30)),
    turns.take('x', work('b', 5)),
    turns.take('x', work('c', 1)),
    turns.take('y', work('other', 1)),
  ])
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(log.filter((line) => !line.startsWith('other'))).toEqual([
    'a begins',
    'a ends',
    'b begins',
    'b ends',
    'c begins',
    'c ends',
  ])
  expect(log.indexOf('other ends')).toBeLessThan(log.indexOf('a ends'))
})
