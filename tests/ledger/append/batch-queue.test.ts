import { describe, expect, it } from 'vitest'
import { BatchQueue } from '../../../src/ledger/append/batch-queue.js'

describe('a batch queue', () => {
  it('writes in the order of coming, together what came together, and never two batches at once', async () => {
    const batches: number[][] = []
    let running = 0
    const queue = new BatchQueue<number>(3, async (batch) => {
      running += 1
      expect(running).toBe(1)
      batches.push([...batch])
      if (batch.includes(0)) for (const item of [5, 6]) queue.add(item)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    })
    for (const item of [0, 1, 2, 3, 4]) queue.add(item)
    while (batches.flat().length < 7 || running > 0) await new Promise((resolve) => setImmediate(resolve))
    queue.add(7)
    while (batches.flat().length < 8 || running > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(batches).toEqual([[0, 1, 2], [3, 4, 5], [6], [7]])
  })
})
