import { BSON, type Db, ObjectId } from 'mongodb'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { Entity } from '../../../src/core/entity.js'
import { itemSchema, schemaAtAnyItem } from '../../../src/core/field-schema.js'
import { holdsText } from '../../../src/core/personal-fields.js'
import { SecretFields } from '../../../src/core/repository/secret-fields.js'
import type { CollectionKey } from '../../../src/domains.js'
import { personalFieldsOf } from '../../../src/privacy/subject-plan.js'
import { catalogues } from '../../entities/catalogues.js'

export const password = 'analytical engine 1843'

/** A person of whom everything is known that can be. */
export const adaFields = {
  email: 'ada.lovelace@example.org',
  name: 'Ada Lovelace',
  firstName: 'Augusta Ada',
  lastName: 'King-Noel',
  walletAddress: '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
  profile: {
    avatar: 'https://example.org/ada-by-carpenter.png',
    phone: '+44 20 7946 0123',
    department: 'Numbers',
    studentId: 'ST-1815-12-10',
  },
  address: { street: '12 St James’s Square', city: 'London', country: 'GB' },
}

const known = [
  adaFields.email,
  adaFields.name,
  `${adaFields.firstName} ${adaFields.lastName}`,
  adaFields.walletAddress,
  ...[adaFields.profile.avatar, adaFields.profile.phone, adaFields.profile.studentId, adaFields.address.street],
]

/** What Ada is known by, as bytes: texts, and the id in both forms. */
export function marksOf(id: ObjectId): ReadonlyMap<string, Buffer> {
  const texts = [...known, id.toHexString()].map((text): [string, Buffer] => [text, Buffer.from(text)])
  return new Map([...texts, ['the id in bytes', Buffer.from(id.id)]])
}

/** Which marks are in the bytes. */
export function marksIn(id: ObjectId, bytes: Uint8Array): string[] {
  return [...marksOf(id)].filter(([, mark]) => Buffer.from(bytes).includes(mark)).map(([name]) => name)
}

/** Where in a database any mark is: every byte of every collection is looked at, buckets of time series included. */
export async function marksInDatabase(id: ObjectId, db: Db): Promise<string[]> {
  const found = new Set<string>()
  for (const { name, type } of await db.listCollections({}, { nameOnly: false }).toArray()) {
    if (type === 'timeseries') continue
    for await (const document of db.collection(name).find({}, { promoteValues: false }))
      for (const mark of marksIn(id, BSON.serialize(document))) found.add(`${name}: ${mark}`)
  }
  return [...found].toSorted()
}

/** Documents that name Ada in every way that an entity declares: one for each path, and one for its texts. */
export async function plantEverywhere(volt: AutoVolt, db: Db, id: ObjectId): Promise<string[]> {
  const planted: string[] = []
  for (const key of Object.keys(catalogues) as CollectionKey[]) {
    const entity = volt.entityOf(key)
    const { subjects = {}, mentions } = personalFieldsOf(entity) ?? {}
    if (key === 'users' || key === 'privacyErasures' || key === 'privacyHolds') continue
    // An open order or case would stop an erasure.
    const open = ['marketOrders', 'cases'].includes(key) ? { isOpen: false } : {}
    const plain = () => ({ ...catalogues[key].good(), _id: new ObjectId(), ...open })
    const documents = Object.keys(subjects).map((path) => placed(plain(), entity, path, id))
    if (mentions !== undefined) documents.push(mentioning(volt, entity, plain(), mentions.in, id))
    if (documents.length === 0) continue
    // Documents of one example share what is unique of it.
    const collection = db.collection(entity.collection)
    if (entity.timeSeries === undefined) await collection.dropIndexes()
    await collection.insertMany(documents, { bypassDocumentValidation: true })
    planted.push(entity.collection)
  }
  return planted
}

function placed(document: Record<string, unknown>, entity: Entity, path: string, id: ObjectId) {
  const value = holdsText(entity, path) ? id.toHexString() : id
  const segments = path.split('.')
  let holder = document
  for (const [at, segment] of segments.entries()) {
    const schema = schemaAtAnyItem(entity, segments.slice(0, at + 1).join('.'))
    const isList = schema !== undefined && itemSchema(schema) !== undefined
    if (at === segments.length - 1) holder[segment] = isList ? [new ObjectId(), value] : value
    else {
      const inner = { ...(isList ? {} : (holder[segment] as object | undefined)) }
      holder[segment] = isList ? [{ until: new Date(0) }, inner] : inner
      holder = inner as Record<string, unknown>
    }
  }
  return document
}

const sentence = (id: ObjectId) => `about ${known.join(', ')} (${id.toHexString()})`

function mentioning(
  volt: AutoVolt,
  entity: Entity,
  document: Record<string, unknown> & { _id: ObjectId },
  fields: readonly string[],
  id: ObjectId,
) {
  const secrets = new SecretFields(volt.database, entity)
  for (const field of fields) {
    if (Object.hasOwn(entity.secrets, field))
      document[field] = secrets.seal(field, document._id, Buffer.from(sentence(id)).toString('base64'))
    else document[field] = worded(document[field] ?? {}, id)
  }
  return document
}

/** The value with the sentence for every text in it; where it has none, beside the id. */
function worded(value: unknown, id: ObjectId): unknown {
  if (typeof value === 'string') return sentence(id)
  if (Array.isArray(value)) return value.map((item) => worded(item, id))
  if (typeof value !== 'object' || value === null || '_bsontype' in value || value instanceof Date) return value
  const inner = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, worded(one, id)]))
  return { ...inner, said: sentence(id), who: id }
}
