import { BSON, type Db } from 'mongodb'

const { BSONRegExp, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, Timestamp, UUID } = BSON

/** A small database with one of everything that a backup has to bring back. */
export async function fillZoo(db: Db): Promise<void> {
  await db.createCollection('animals', {
    validator: { $jsonSchema: { bsonType: 'object', required: ['name'] } },
    validationLevel: 'moderate',
    collation: { locale: 'fr', strength: 2 },
  })
  await db.collection('animals').insertMany([
    { name: 'Asha', legs: new Int32(4), weight: new Double(12), big: new Long('9007199254740993') },
    { name: 'Zoé', price: new Decimal128('1.10'), pattern: new BSONRegExp('^a', 'xi'), id: new UUID() },
    { name: 'odd', at: new Timestamp({ t: 5, i: 6 }), least: new MinKey(), most: new MaxKey(), run: new Code('x', {}) },
    { name: 'nested', deep: { deeper: [{ $a: 1 }, null, [], {}] }, when: new Date(), bytes: Buffer.from('abc') },
  ])
  await db
    .collection('animals')
    .createIndexes([
      { key: { name: 1 }, unique: true, partialFilterExpression: { legs: { $gt: new Double(0) } } },
      { key: { place: '2dsphere' } },
      { key: { weight: -1, _id: 1 }, sparse: true, hidden: true },
      { key: { tale: 'text' }, weights: { tale: 3 }, default_language: 'french', collation: { locale: 'simple' } },
      { key: { when: 1 }, expireAfterSeconds: 100_000_000 },
      { key: { '$**': 1 }, name: 'wild' },
      { key: { legs: 'hashed' } },
    ])
  await db.createCollection('empty')
  await db.createCollection('weather', {
    timeseries: { timeField: 'at', metaField: 'place', granularity: 'minutes' },
    expireAfterSeconds: 1_000_000_000,
  })
  const start = Date.parse('2026-03-01T00:00:00Z')
  await db.collection('weather').insertMany(
    Array.from({ length: 300 }, (_, minute) => ({
      at: new Date(start + minute * 60_000),
      place: { room: minute % 3 },
      celsius: 20 + (minute % 7) / 2,
    })),
  )
  await db.collection('weather').createIndex({ 'place.room': 1, at: 1 })
  await db.createCollection('log', { capped: true, size: 8192, max: 100 })
  await db.collection('log').insertMany([{ line: 1 }, { line: 2 }])
  await db.createCollection('named', { viewOn: 'animals', pipeline: [{ $match: { name: { $exists: true } } }] })
  await db.collection(`odd name/with "${'x'.repeat(20)}`).insertOne({ odd: true })
}
