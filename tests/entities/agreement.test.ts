import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { type Collection, type Document, MongoBulkWriteError, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { defineAppendOnlyEntity, type EntityDescription } from '../../src/core/entity.js'
import { objectId } from '../../src/core/fields.js'
import type { CollectionKey } from '../../src/domains.js'
import { quarantineEntity } from '../../src/ingestion/quarantine.js'
import { setUpDatabase } from '../support/database.js'
import { runs } from '../support/extent.js'
import { openVolt } from '../support/volt.js'
import { spoil } from './bad-documents.js'
import { catalogues } from './catalogues.js'

const database = setUpDatabase()

/** What our own entities have no example of. */
const zoo = defineAppendOnlyEntity({
  name: 'zoo',
  collection: 'zoo',
  fields: {
    either: z.union([z.string().max(5), z.int().min(3), z.boolean()]),
    shape: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('circle'), radius: z.number().positive() }),
      z.strictObject({ kind: z.literal('square'), side: z.number().lt(10).nullable() }),
    ]),
    labels: z.record(z.string().regex(/^[a-z]{1,4}$/), z.string().max(8)),
    byDay: z.partialRecord(z.enum(['monday', 'sunday']), z.int()),
    pair: z.tuple([z.string(), z.number()]),
    matrix: z.array(z.array(z.number()).length(2)).max(3),
    mail: z.email(),
    line: z.string().regex(/^a.b$/),
    spaced: z.string().regex(/^\s*x[\s,]\u00e9$/),
    priced: z.string().regex(/^\$\d+[$]?$/),
    prefixed: z.string().startsWith('ab').endsWith('yz'),
    literal: z.literal(['on', 7, null]),
    owner: objectId().nullable(),
    when: z.date().nullish(),
    step: z.int().multipleOf(5),
    unsafe: z.number(),
    letters: z.array(z.enum(['p', 'q'])),
    nested: z.strictObject({ deep: z.strictObject({ deeper: z.array(z.strictObject({ id: z.uuid().optional() })) }) }),
  },
})
const aZoo = () => ({
  _id: new ObjectId(),
  either: 'five',
  shape: { kind: 'circle', radius: 2.5 },
  labels: { a: 'one', b: 'two' },
  byDay: { monday: 1 },
  pair: ['x', 1],
  matrix: [
    [1, 2],
    [3, 4],
  ],
  mail: 'asha@example.org',
  line: 'axb',
  spaced: ' x é',
  priced: '$5',
  prefixed: 'ab-yz',
  literal: 'on',
  owner: new ObjectId(),
  when: new Date(0),
  step: 10,
  unsafe: 0.5,
  letters: ['p'],
  nested: { deep: { deeper: [{ id: '0190a0f2-8b4e-7c3d-9a5f-1b2c3d4e5f60' }, {}] } },
})

const lengths = [0, 1, 5, 6, 40, 41, 64, 65, 100, 101, 128, 129, 200, 201, 256, 257, 500, 501]
const bounds = [
  -274,
  -21,
  -20,
  -1,
  -0,
  0,
  0.5,
  1,
  3,
  5,
  9.999999,
  10,
  63,
  64,
  65,
  99,
  100,
  200,
  201,
  255,
  256,
  999,
  1000,
  100_001,
  1e6,
  1_000_001,
  86_400_001,
  1e9,
  2 ** 31,
  9e12,
  9.1e12,
  1e15,
  2 ** 53,
  2 ** 53 + 2,
  1e300,
  Number.MAX_VALUE,
]
const texts = [
  'default',
  'INR',
  'INR\n',
  'XXX',
  'UTC',
  'Asia/Kolkata',
  'online',
  'rated',
  'switch_on',
  'power_reading',
  'not_json',
  'AA:BB:CC:DD:EE:FF',
  'aa:bb:cc:dd:ee:ff',
  'AA:BB:CC:DD:EE:FF\n',
  '0'.repeat(64),
  'g'.repeat(64),
  `${'0'.repeat(64)}\n`,
  'a\rb',
  'a\u2028b',
  'a\nb',
  '\u00a0x\u3000é',
  'x,é',
  '$5$',
  '$5',
  '$',
  'abyz',
  'ab\nyz',
  'on',
  'a@b.cd',
  'é',
  'circle',
]

/** Astral characters are left out: zod counts them as two, as JavaScript does, and the server as one. */
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...bounds) },
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...texts) },
  { weight: 2, arbitrary: fc.constantFrom(...lengths).map((length) => 'x'.repeat(length)) },
  fc.constantFrom<unknown>(Number.NaN, Infinity, -Infinity, null, true, false, [], {}, [null], ['p', 'z'], { $gt: '' }),
  fc.constantFrom<unknown>(new Date(0), new ObjectId(), '65f000000000000000000000', Buffer.from('x'), [1, 2], [[1], 2]),
  fc.string({ unit: fc.integer({ min: 0, max: 0xd7ff }).map((code) => String.fromCharCode(code)), maxLength: 8 }),
  // When the server looks for a fraction it sees the first fifteen digits only.
  fc.integer().map((thousandths) => thousandths / 1000),
  fc.integer(),
)

/** Every place in the document, and beside each a field that nobody knows. */
function placesIn(value: unknown, prefix = ''): string[] {
  const isObject = Array.isArray(value) || Object.getPrototypeOf(Object(value)) === Object.prototype
  if (!isObject || typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([key, item]) => [
    `${prefix}${key}`,
    ...placesIn(item, `${prefix}${key}.`),
  ])
  return Array.isArray(value) ? inner : [...inner, `${prefix}unheardOf`]
}

interface Changed {
  readonly changes: readonly (readonly [path: string, value: unknown])[]
  readonly document: Document
}

/** The document after one or two changes. */
function changed(good: Document): fc.Arbitrary<Changed> {
  const places = placesIn(good).filter((place) => place !== '_id')
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...places), anyValue) },
    fc.tuple(fc.constantFrom(...places.filter((place) => !place.endsWith('.0'))), fc.constant(undefined)),
  )
  return fc.array(change, { minLength: 1, maxLength: 2 }).map((changes) => {
    let document: Document = { ...good, _id: new ObjectId() }
    for (const [path, value] of changes) {
      const spoilt = value === undefined ? { unset: path } : { set: { [path]: value } }
      try {
        document = spoil(document, { what: '', path, foundBy: 'all', ...spoilt })
      } catch {
        // The first change took away the place of the second.
      }
    }
    return { changes, document }
  })
}

type Verdict = 'accepted' | 'refused' | 'refused by JavaScript'

/** An optional field with a default is filled in when a document is created: those from before the field stay without. */
function withoutFilledIn(data: Document, document: Document, { shape }: z.ZodObject): Document {
  const isFilledIn = (name: string) => !(name in document) && shape[name] instanceof z.ZodOptional
  return Object.fromEntries(Object.entries(data).filter(([name]) => !isFilledIn(name)))
}

function verdictOfZod({ name, storedSchema, rules }: EntityDescription, document: Document): Verdict {
  const result = storedSchema.safeParse(document)
  if (!result.success) {
    // Refinements are JavaScript, which the server does not run.
    const isBeyond = result.error.issues.every(({ code }) => code === 'custom')
    return isBeyond ? 'refused by JavaScript' : 'refused'
  }
  // What would be converted or filled in on the way is not in its stored form.
  const isStoredForm = isDeepStrictEqual(withoutFilledIn(result.data, document, storedSchema), document)
  // What a message names its device by may be any text, so no pattern can say that an address has one spelling.
  const { macAddress } = result.data as Document
  const isSpelling = name === quarantineEntity.name && macAddress !== document.macAddress
  if (isSpelling && isDeepStrictEqual(result.data, { ...document, macAddress })) return 'refused by JavaScript'
  return isStoredForm && rules.every((rule) => rule.check(document)) ? 'accepted' : 'refused'
}

async function verdictsOfServer(collection: Collection, documents: readonly Document[]): Promise<Verdict[]> {
  const refused = new Set<number>()
  try {
    await collection.insertMany([...documents], { ordered: false })
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    for (const { code, index } of [error.writeErrors].flat()) {
      if (code !== 121) throw error
      refused.add(index)
    }
  }
  return documents.map((_, index) => (refused.has(index) ? 'refused' : 'accepted'))
}

async function expectAgreement(entity: EntityDescription, good: Document): Promise<void> {
  const name = `agreement_${new ObjectId().toHexString()}`
  const collection = await database.db.createCollection(name, { validator: entity.validator ?? {} })
  await collection.insertOne({ ...good })
  const seen = new Set<Verdict>()
  const property = fc.asyncProperty(fc.array(changed(good), { minLength: 60, maxLength: 60 }), async (all) => {
    await collection.deleteMany({})
    const server = await verdictsOfServer(
      collection,
      all.map(({ document }) => document),
    )
    all.forEach(({ document, changes }, index) => {
      const zod = verdictOfZod(entity, document)
      seen.add(zod)
      if (zod !== 'refused by JavaScript')
        expect({ changes, verdict: server[index] }).toEqual({ changes, verdict: zod })
    })
  })
  await fc.assert(property, { numRuns: runs(5) })
  expect([...seen]).toEqual(expect.arrayContaining(['accepted', 'refused']))
}

/** Time-series collections have no validator. */
const validated = (Object.keys(catalogues) as CollectionKey[]).filter(
  (key) => !['measurements', 'telemetry'].includes(key),
)

describe('zod and the server agree', () => {
  it.each(validated)('on generated documents of %s', async (key) => {
    const volt = await openVolt(database, { collections: { [key]: `stored_${key}` } })
    const entity = volt.entityOf(key)
    await expectAgreement(entity, await storedForm(volt, key, catalogues[key].good()))
  })

  it('on unions, records, tuples, patterns and whatever else a host may declare', async () => {
    await expectAgreement(zoo, aZoo())
  })
})

/** The good document as the repository stores it. */
async function storedForm(volt: AutoVolt, key: CollectionKey, good: Record<string, unknown>): Promise<Document> {
  const entity = volt.entityOf(key)
  if (entity.appendOnly) return { ...good, _id: new ObjectId() }
  const { _id } = await volt.repository(entity as never).create(good)
  const stored = await database.db.collection(entity.collection).findOne({ _id })
  return stored ?? {}
}
