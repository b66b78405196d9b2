import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { forEachConcurrently } from '../../src/core/for-each-concurrently.js'

it('works on every item once, so many at once', async () => {
  const done: number[] = []
  let open = 0
  let most = 0
  await forEachConcurrently([1, 2, 3, 4, 5, 6, 7].values(), 3, async (item) => {
    open += 1
    most = Math.max(most, open)
    await setImmediate()
    open -= 1
    done.push(item)
  })
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(most).toBe(3)
})

it('begins nothing more after a failure, and ends what was begun before it tells', async () => {
  const [begun, ended]: [number[], number[]] = [[], []]
  const work = forEachConcurrently([1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item)
    if (item === 1) throw new Error('the first fails')
    await setImmediate()
    ended.push(item)
  })
  await expect(work).rejects.toThrow('the first fails')
  expect([begun, ended]).toEqual([[1, 2], [2]])
})

it('is content with nothing', async () => {
  await expect(forEachConcurrently([], 4, () => Promise.reject(new Error('never')))).resolves.toBeUndefined()
})
