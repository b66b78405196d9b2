import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEntity } from '../../../src/core/entity.js'
import type { IndexDefinition } from '../../../src/core/index-definition.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const noteEntity = (...indexes: readonly IndexDefinition[]) =>
  defineEntity({
    name: 'note',
    collection: 'notes',
    fields: { title: z.string(), body: z.string().optional(), at: z.date().optional() },
    indexes,
  })
const byTitle: IndexDefinition = { key: { title: 1 }, serves: 'a note by title' }

async function setUp(...indexes: readonly IndexDefinition[]) {
  const own = setUpDatabase()
  const entity = noteEntity(...indexes)
  const volt = await openVolt(own, { hostEntities: [entity] })
  await volt.setup()
  const notes = own.db.collection('notes')
  const find = async (field: string) => (await notes.indexes()).filter(({ key }) => field in key)
  const report = async () => (await volt.setup({ dryRun: true })).collections.at(-1)?.indexes
  return { own, volt, notes, find, report, repository: volt.repository(entity) }
}

const aNote = (title: string) => {
  const now = new Date()
  return { _id: new ObjectId(), title, createdAt: now, updatedAt: now, __v: 0 }
}

describe('an index that was changed by hand', () => {
  it.each([
    ['a sparse one', { sparse: true }],
    ['a hidden one', { hidden: true }],
    ['one of a collation', { collation: { locale: 'de' } }],
    ['a unique one', { unique: true }],
    ['one that lets documents go', { expireAfterSeconds: 60 }],
  ])('is seen and set right if it is %s', async (_, options) => {
    const { notes, report, find, volt } = await setUp(byTitle)
    await notes.dropIndex('title_1')
    await notes.createIndex({ title: 1 }, options)
    const [name] = (await find('title')).map((index) => index.name)
    expect(await report()).toEqual({ missing: [], different: [name], superseded: [], extra: [] })
    await volt.setup()
    expect(await report()).toEqual({ missing: [], different: [], superseded: [], extra: [] })
    const [index, ...others] = await find('title')
    expect(others).toEqual([])
    for (const option of Object.keys(options)) expect(index).not.toHaveProperty(option)
  })
})

describe('an index that has to be built anew', () => {
  it('stays as it was until the new one is there', async () => {
    const { notes, own, find } = await setUp(byTitle)
    await notes.insertMany([aNote('twice'), aNote('twice')])
    const unique = noteEntity({ ...byTitle, unique: true })
    const later = await openVolt(own, { hostEntities: [unique] })
    await expect(later.setup()).rejects.toMatchObject({ code: 'SETUP_BLOCKED', obstacles: [{ kind: 'duplicates' }] })
    expect(await find('title')).toMatchObject([{ name: 'title_1' }])

    await notes.deleteOne({})
    await later.setup()
    expect(await find('title')).toMatchObject([{ unique: true }])
    expect(await later.setup()).toMatchObject({ isComplete: true })
    const again = [{ title: 'twice' }, { title: 'thrice' }]
    await expect(later.repository(unique).createMany(again)).rejects.toMatchObject({ fields: ['title'] })
  })

  it('is put back where two cannot stand side by side and the new one cannot be built', async () => {
    const byWords: IndexDefinition = { key: { title: 'text' }, serves: 'a note by its words' }
    const { notes, own, find } = await setUp(byWords)
    await notes.insertMany([aNote('twice'), aNote('twice')])
    const later = await openVolt(own, { hostEntities: [noteEntity({ ...byWords, unique: true })] })
    await expect(later.setup()).rejects.toMatchObject({ code: 'CONFLICT' })
    const [old] = await find('_fts')
    expect(old).toMatchObject({ name: 'title_text', weights: { title: 1 } })
    expect(old).not.toHaveProperty('unique')

    await notes.deleteOne({})
    await later.setup()
    expect(await find('_fts')).toMatchObject([{ unique: true }])
  })
})

describe('a partial index beside the plain one of the same key', () => {
  const ofShort: IndexDefinition = {
    name: 'title_1_with_body',
    key: { title: 1 },
    partialFilterExpression: { body: { $gt: '' } },
    serves: 'notes with a body by title',
  }
  const names = (indexes: readonly { readonly name?: string }[]) => indexes.map(({ name }) => name).toSorted()

  it('has a name of its own, without which the server refuses it', async () => {
    const { find, report, volt, notes } = await setUp(byTitle, ofShort)
    expect(names(await find('title'))).toEqual(['title_1', 'title_1_with_body'])
    expect(await report()).toEqual({ missing: [], different: [], superseded: [], extra: [] })
    await expect(
      notes.createIndex({ title: 1 }, { name: 'title_1', partialFilterExpression: { body: { $gt: '' } } }),
    ).rejects.toMatchObject({
      code: 86,
    })
    for (const gone of ['title_1', 'title_1_with_body']) {
      await notes.dropIndex(gone)
      expect(await report()).toEqual({ missing: [gone], different: [], superseded: [], extra: [] })
      await volt.setup()
      expect(names(await find('title'))).toEqual(['title_1', 'title_1_with_body'])
    }
  })

  it('is set right alone where it was changed by hand', async () => {
    const { find, report, volt, notes } = await setUp(byTitle, ofShort)
    await notes.dropIndex('title_1_with_body')
    await notes.createIndex(
      { title: 1 },
      { name: 'title_1_with_body', partialFilterExpression: { at: { $gt: new Date(0) } } },
    )
    expect(await report()).toEqual({ missing: [], different: ['title_1_with_body'], superseded: [], extra: [] })
    await volt.setup()
    expect(await report()).toEqual({ missing: [], different: [], superseded: [], extra: [] })
    expect(await find('title')).toHaveLength(2)
  })
})
