import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { Entity, StoredFields } from '../../src/core/entity.js'
import { ValidationError } from '../../src/core/errors.js'
import { change } from '../../src/core/repository/changes.js'
import { subjectOf, translateError } from '../../src/core/translate-error.js'
import { validateData } from '../../src/core/validate.js'
import type { CollectionKey } from '../../src/domains.js'
import { aRestoreJournal } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { slice } from '../support/extent.js'
import { openVolt } from '../support/volt.js'
import { type BadDocument, spoil } from './bad-documents.js'
import { catalogues } from './catalogues.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  const first = await openVolt(database)
  await first.setup()
  // A handle refuses to work once its database was restored: this one knows the journals of the test from the start.
  await first.repository(first.entityOf('restoreJournals') as Entity<StoredFields>).create(aRestoreJournal())
  await first.close()
  volt = await openVolt(database)
  await volt.users.find({})
})

const keys = Object.keys(catalogues) as CollectionKey[]

describe.each(keys)('the catalogue of %s', (key) => {
  const { good, bad } = catalogues[key]
  const entity = () => volt.entityOf(key)
  const collection = () => database.db.collection(entity().collection)
  const repository = () => volt.repository(entity() as Entity<StoredFields>)
  const model = () => volt.database.models.of(entity())

  /** A good document as it is stored, secrets sealed, under an id of its own. */
  async function storedDocument(): Promise<Record<string, unknown> & { _id: ObjectId }> {
    await collection().deleteMany({})
    if (entity().appendOnly) {
      const document = { ...good(), _id: new ObjectId() }
      await collection().insertOne(document)
      return document
    }
    const { _id } = await repository().create(good())
    const stored = await collection().findOne({ _id })
    if (stored === null) throw new Error('What was created is not there')
    return stored
  }

  it('has a good document that the repository, the model and the server take', async () => {
    const stored = await storedDocument()
    await collection().deleteMany({})
    await collection().insertOne({ ...stored, _id: new ObjectId() })
    if (entity().timeSeries !== undefined) return
    for (const [field, value] of Object.entries(stored)) {
      if (field !== '_id') await collection().updateOne({}, { $set: { [field]: value } })
    }
    await collection().deleteMany({})
    if (entity().appendOnly) return
    await model().create(unmanaged(stored))
    const { _id } = await repository()
      .findOne({})
      .then((found) => found ?? { _id: '' })
    const changes = Object.entries(good()).filter(([name]) => !entity().immutable.includes(name))
    await repository().update(_id, Object.fromEntries(changes))
  })

  it('looks at every field', () => {
    const paths = new Set(bad.map(({ path }) => path.split('.')[0]))
    expect([...Object.keys(entity().storedSchema.shape)].filter((name) => !paths.has(name))).toEqual([])
  })

  it('looks at the absence of every field that must be there', () => {
    const absent = new Set(bad.flatMap(({ unset }) => unset ?? []))
    const required = Object.entries(entity().storedSchema.shape)
      .filter(([name, schema]) => name !== '_id' && !(schema as { isOptional(): boolean }).isOptional())
      .map(([name]) => name)
    expect(required.filter((name) => !absent.has(name))).toEqual([])
  })

  /** What is refused leaves it as it is, so it serves for all. */
  let lasting: (Record<string, unknown> & { _id: ObjectId }) | undefined

  it.each(bad.map((spoilt, turn) => ({ ...spoilt, turn })))(
    'refuses a document with: $what',
    async ({ turn, ...spoilt }) => {
      lasting ??= await storedDocument()
      const stored = lasting
      // Where one of them is not refused, the next one begins anew.
      lasting = undefined
      const seesInput = spoilt.foundBy !== 'stored'
      const isFound = spoilt.foundBy === 'all' || spoilt.foundBy === 'stored'
      // A time-series collection has no validator: there the library's own writes are the guard.
      const isShape = isFound && entity().timeSeries === undefined
      const doors: (() => Promise<void>)[] = []
      if (seesInput) doors.push(() => expectRefusal(create(spoilt), { path: spoilt.path }))
      if (isShape) {
        const document = spoil({ ...stored, _id: new ObjectId() }, spoilt)
        doors.push(() => expectServerRefusal(collection().insertOne(document), spoilt))
      }
      if (isShape && spoilt.path !== '_id')
        doors.push(() => expectServerRefusal(collection().updateOne({}, operators(spoilt)), spoilt))
      if (!entity().appendOnly) {
        if (spoilt.foundBy === 'all' || spoilt.foundBy === 'library')
          doors.push(() => expectRefusalByModel(saveModel(stored, spoilt), spoilt))
        if (isShape && spoilt.path !== '_id') doors.push(() => expectModelRefusal(spoilt))
        if (!spoilt.what.startsWith('unsealed')) doors.push(() => expectRefusal(update(stored._id, spoilt), spoilt))
      }
      // Each document is tried at two or three of up to six doors, and each door with a third of the documents.
      for (const door of slice(doors, 3, turn)) await door()
      if (!entity().appendOnly) expect(await collection().find().toArray()).toEqual([stored])
      lasting = stored
    },
  )

  async function create(spoilt: BadDocument): Promise<unknown> {
    const input = spoil(good(), spoilt)
    return entity().appendOnly ? validateData(entity().inputSchema, input) : repository().create(input)
  }

  async function saveModel(stored: Readonly<Record<string, unknown>>, spoilt: BadDocument): Promise<unknown> {
    const document = new (model())(spoil(unmanaged(stored), spoilt))
    return document.save()
  }

  async function update(_id: ObjectId, { set, unset }: BadDocument): Promise<unknown> {
    const removal = unset === undefined ? {} : { [unset]: change.unset() }
    return repository().update(_id, { ...set, ...removal } as never)
  }

  async function expectModelRefusal(spoilt: BadDocument): Promise<void> {
    const attempt = async () => model().updateOne({}, operators(spoilt) as never, { timestamps: false })
    // Mongoose leaves what is immutable out in silence.
    const isImmutable = ['createdAt', ...entity().immutable].includes(withoutIndexes(spoilt.path))
    const isForRepository = entity().behaviour.repositoryOnly.includes(withoutIndexes(spoilt.path).split('.')[0] ?? '')
    if (isForRepository) await expect(attempt()).rejects.toMatchObject({ code: 'REPOSITORY_ONLY' })
    else if (isImmutable) await attempt()
    else await expectRefusalByModel(attempt(), spoilt)
  }

  async function expectRefusal(
    attempt: Promise<unknown>,
    { path, rulePath = path }: Pick<BadDocument, 'path' | 'rulePath'>,
  ): Promise<void> {
    const error = await errorOf(attempt)
    expect(error).toBeInstanceOf(ValidationError)
    const named = (error as ValidationError).issues.map((issue) => issue.path)
    expect(named.includes(path) || named.includes(rulePath), `${named.join(', ')} instead of ${path}`).toBe(true)
  }

  /** Mongoose names the list and not the item, and refuses unknown fields before there is a document to be saved. */
  async function expectRefusalByModel(
    attempt: Promise<unknown>,
    { path, rulePath = path }: BadDocument,
  ): Promise<void> {
    const error = await errorOf(attempt)
    expect(error).toBeInstanceOf(ValidationError)
    const named = (error as ValidationError).issues.map((issue) => withoutIndexes(issue.path))
    expect([withoutIndexes(path), path.split('.').at(-1), rulePath]).toEqual(expect.arrayContaining(named))
  }

  async function expectServerRefusal(attempt: Promise<unknown>, spoilt: BadDocument): Promise<void> {
    await expect(attempt).rejects.toMatchObject({ code: 121 })
    const translated = attempt.catch((error: unknown) => {
      throw translateError(error, subjectOf(entity()))
    })
    await expectRefusal(translated, spoilt)
  }
})

function errorOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function withoutIndexes(path: string): string {
  return path.replace(/\.\d+/g, '')
}

/** What is to be set by hand: the rest is the model's own. */
function unmanaged(stored: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { _id, createdAt, updatedAt, __v, deletedAt, ...fields } = stored
  return fields
}

function operators({ set, unset }: BadDocument) {
  return { ...(set ? { $set: set } : {}), ...(unset === undefined ? {} : { $unset: { [unset]: '' } }) }
}

it('has a catalogue for every entity of the handle', async () => {
  const { collections } = await volt.setup({ dryRun: true })
  const known = keys.map((key) => volt.entityOf(key).collection)
  expect(known.sort()).toEqual(collections.map(({ collection }) => collection).sort())
})
