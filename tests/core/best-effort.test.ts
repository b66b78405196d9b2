import { expect, it } from 'vitest'
import { BestEffort } from '../../src/core/best-effort.js'
import { testDatabase } from '../support/database.js'
import { gate } from '../support/gate.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()

it('writes in batches, counts what it lost, and throws nothing', async () => {
  const volt = await openVolt(database)
  const batches: number[][] = []
  const first = gate()
  const written = new BestEffort<number>(volt.database, {
    name: 'a test',
    atOnce: 500,
    write: async (items) => {
      await first.opened
      batches.push([...items])
      if (items.includes(500)) throw new Error('no disk')
    },
  })
  for (let item = 0; item < 11_000; item += 1) written.add(item)
  first.open()
  await written.settled()
  expect(batches[0]).toHaveLength(500)
  expect(written.counts()).toMatchObject({ failed: 500, waiting: 0, dropped: 1_000 })
  expect(written.counts().written).toBe(9_500)
})

it('writes what a transaction reports once that has committed, and not if it does not', async () => {
  const volt = await openVolt(database)
  const items: string[] = []
  const written = new BestEffort<string>(volt.database, {
    name: 'a test',
    atOnce: 500,
    write: async (some) => {
      items.push(...some)
    },
  })
  await volt.transaction(async () => written.add('committed'))
  await volt
    .transaction(async () => {
      written.add('taken back')
      throw new Error('no')
    })
    .catch(() => undefined)
  await written.settled()
  expect(items).toEqual(['committed'])
})
