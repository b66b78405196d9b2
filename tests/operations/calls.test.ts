import { expect, it } from 'vitest'
import { aClassroom } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()

it('are measured by command and collection, and no value is kept of them', async () => {
  const volt = await openVolt(database, { monitorCommands: true })
  await volt.setup()
  expect(() => volt.operations.calls()).toThrow(/measureCalls/)
  const stop = volt.operations.measureCalls()
  await volt.classrooms.createMany([aClassroom({ name: 'a secret room' }), aClassroom({ name: 'another secret room' })])
  for (let time = 0; time < 20; time += 1) await volt.classrooms.find({ name: 'a secret room' }, { sort: { _id: 1 } })
  await expect(
    volt.database.native.collection('classrooms').updateOne({ name: 'a secret room' }, { $badOperator: 1 } as never),
  ).rejects.toThrow()
  const { figures, slowest, since } = volt.operations.calls()
  expect(since.getTime()).toBeLessThanOrEqual(Date.now())
  const finds = figures.find(({ collection, command }) => collection === 'classrooms' && command === 'find')
  expect(finds).toMatchObject({ count: 20, failures: 0 })
  const { meanMs, p50Ms, p95Ms, p99Ms, maximumMs } = finds as Exclude<typeof finds, undefined>
  expect(meanMs).toBeGreaterThan(0)
  expect(p50Ms).toBeLessThanOrEqual(p95Ms)
  expect(p95Ms).toBeLessThanOrEqual(p99Ms)
  expect(p99Ms).toBeLessThanOrEqual(maximumMs * 1.01)
  expect(figures.find(({ command }) => command === 'update')).toMatchObject({ count: 1, failures: 1 })
  expect(figures.find(({ command }) => command === 'insert')).toMatchObject({ count: 1 })
  const finding = slowest.find(({ collection, shape }) => collection === 'classrooms' && shape.startsWith('find'))
  expect(finding?.shape).toMatch(/^find \{ name: =.* \} sort \{ _id: 1 \}$/)
  expect(slowest.map(({ durationMs }) => durationMs)).toEqual(
    slowest.map(({ durationMs }) => durationMs).toSorted((a, b) => b - a),
  )
  expect(JSON.stringify(volt.operations.calls())).not.toContain('secret')

  volt.operations.resetCalls()
  expect(volt.operations.calls()).toMatchObject({ figures: [], slowest: [] })
  stop()
  await volt.classrooms.count()
  expect(volt.operations.calls().figures).toEqual([])
})

it('keeps the slowest hundred', async () => {
  const volt = await openVolt(database, { monitorCommands: true })
  volt.operations.measureCalls()
  await Promise.all(Array.from({ length: 150 }, () => volt.classrooms.count()))
  expect(volt.operations.calls().slowest).toHaveLength(100)
})

it('cannot be measured where the driver says nothing of them', async () => {
  const volt = await openVolt(database)
  expect(() => volt.operations.measureCalls()).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
})
