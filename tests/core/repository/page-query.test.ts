import { describe, expect, it } from 'vitest'
import { afterQuerySchema, pageQuerySchema } from '../../../src/core/repository/page-query.js'
import { validateData } from '../../../src/core/validate.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

describe('the query parameters of a page', () => {
  it('are numbers and fields', () => {
    const query = { page: '2', limit: '20', sort: 'building,-name', search: 'x' }
    expect(validateData(pageQuerySchema, query)).toEqual({ page: 2, limit: 20, sort: { building: 1, name: -1 } })
  })

  it('leave out what was not given, so that a default of the host survives', () => {
    expect(Object.keys(validateData(pageQuerySchema, {}))).toEqual([])
    expect(Object.keys(validateData(afterQuerySchema, {}))).toEqual([])
    const query = { sort: { name: 1 }, ...validateData(pageQuerySchema, { page: '2' }) }
    expect(query).toEqual({ sort: { name: 1 }, page: 2 })
  })

  it.each([
    [{ page: '0' }, 'page'],
    [{ page: '-1' }, 'page'],
    [{ page: '1e3' }, 'page'],
    [{ page: ['1', '2'] }, 'page'],
    [{ limit: '1001' }, 'limit'],
    [{ limit: '' }, 'limit'],
    [{ limit: '2.5' }, 'limit'],
    [{ sort: '$natural' }, 'sort'],
    [{ sort: { name: 1 } }, 'sort'],
    [{ sort: 'name,,' }, 'sort'],
  ])('are refused out of bounds: %j', (query, path) => {
    expect(() => validateData(pageQuerySchema, query)).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path })] }),
    )
  })

  it('are what page() and after() take', async () => {
    const volt = await openVolt(setUpDatabase())
    await volt.setup()
    await volt.classrooms.createMany([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    const page = await volt.classrooms.page({}, validateData(pageQuerySchema, { page: '2', limit: '2', sort: '-name' }))
    expect(page.items.map(({ name }) => name)).toEqual(['a'])
    const first = await volt.classrooms.after({}, validateData(afterQuerySchema, { limit: '2' }))
    const query = { limit: '2', cursor: first.nextCursor }
    const second = await volt.classrooms.after({}, validateData(afterQuerySchema, query))
    expect(second.items.map(({ name }) => name)).toEqual(['c'])
  })
})
