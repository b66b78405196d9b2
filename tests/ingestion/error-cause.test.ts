import { type Collection, type Document, type MongoClient, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { DatabaseError } from '../../src/core/errors.js'
import { type ErrorCause, errorCauseOf } from '../../src/ingestion/error-cause.js'
import { openSite, type Site } from '../mqtt/support/site.js'
import { cleanUpLater } from '../support/clean-up.js'
import { type MongodProcess, startMongodProcess } from '../support/mongod-process.js'
import { startSecuredMongod } from '../support/secured-mongod.js'

let mongod: MongodProcess
let site: Site

// Its own server, for it is told to fail.
beforeAll(async () => {
  mongod = await startMongodProcess({ args: ['--setParameter', 'enableTestCommands=1'] })
  site = await openSite({ uri: mongod.uri })
})

/** The error that an operation of the handle's ends with. */
async function errorOf(work: (documents: Collection<Document>) => Promise<unknown>, collection = 'anything') {
  const { database } = site.volt
  const documents = database.native.collection<Document>(collection)
  const error = await database
    .run(site.volt.entityOf('quarantine'), 'test', () => work(documents))
    .then(
      () => undefined,
      (caught: unknown) => caught,
    )
  if (error === undefined) throw new Error('the operation has not failed')
  return error
}

/** An object with so many others inside each other. */
function deep(levels: number): Document {
  let value: Document = {}
  for (let level = 0; level < levels; level += 1) value = { a: value }
  return value
}

describe('an error that data causes', () => {
  const mebibyte = 1024 * 1024
  const cases: [what: string, work: (documents: Collection<Document>) => Promise<unknown>, collection?: string][] = [
    ['a document of 17 MiB', (all) => all.insertOne({ a: Buffer.alloc(17 * mebibyte) })],
    ['a document of 60 MiB', (all) => all.insertOne({ a: Buffer.alloc(60 * mebibyte) })],
    [
      'a document of 17 MiB in a bulk write',
      (all) => all.bulkWrite([{ insertOne: { document: { a: Buffer.alloc(17 * mebibyte) } } }]),
    ],
    [
      'a document that grows past 16 MiB',
      async (all) => {
        const _id = new ObjectId()
        await all.insertOne({ _id, a: 'a'.repeat(9 * mebibyte) })
        await all.updateOne({ _id }, { $set: { b: 'b'.repeat(9 * mebibyte) } })
      },
    ],
    ['a document of 300 levels', (all) => all.insertOne(deep(300))],
    ['a document of 100,000 levels', (all) => all.insertOne(deep(100_000))],
    [
      'a document that holds itself',
      (all) => {
        const ring: Document = {}
        ring.a = ring
        return all.insertOne(ring)
      },
    ],
    ['a NUL in a name', (all) => all.insertOne({ 'a\0b': 1 })],
    [
      'a value that is there',
      async (all) => {
        const _id = new ObjectId()
        await all.insertOne({ _id })
        await all.insertOne({ _id })
      },
    ],
    ['a document that the validator refuses', (all) => all.insertOne({ name: 5 }), 'devices'],
    [
      'a document of a bulk write that the validator refuses',
      (all) => all.bulkWrite([{ insertOne: { document: { name: 5 } } }], { ordered: false }),
      'devices',
    ],
    ['a measurement without a time', (all) => all.insertOne({ meta: {} }), 'energy_measurements'],
    ['a measurement with a text as time', (all) => all.insertOne({ timestamp: 'now' }), 'energy_measurements'],
    [
      'a measurement of 17 MiB',
      (all) => all.insertOne({ timestamp: new Date(), meta: { a: Buffer.alloc(17 * mebibyte) } }),
      'energy_measurements',
    ],
    [
      'an id that is to change',
      async (all) => {
        const _id = new ObjectId()
        await all.insertOne({ _id })
        await all.updateOne({ _id }, { $set: { _id: new ObjectId() } })
      },
    ],
    [
      'two lists in one index',
      async (all) => {
        await all.createIndex({ one: 1, other: 1 })
        await all.insertOne({ one: [1, 2], other: [3, 4] })
      },
      'lists',
    ],
    [
      'a number where a text is',
      async (all) => {
        const _id = new ObjectId()
        await all.insertOne({ _id, a: 'text' })
        await all.updateOne({ _id }, { $inc: { a: 1 } })
      },
    ],
    [
      'two changes of one field',
      (all) => all.updateOne({ _id: new ObjectId() }, { $set: { a: 1 }, $inc: { a: 1 } }, { upsert: true }),
    ],
  ]

  it.each(cases)('is the message’s: %s', async (_, work, collection) => {
    expect(errorCauseOf(await errorOf(work, collection))).toBe('message')
  })

  it.each([new TypeError('undefined is not a function'), new RangeError('Invalid string length'), 'a text', undefined])(
    'is the message’s where it is no database’s: %s',
    (error) => {
      expect(errorCauseOf(error)).toBe('message')
    },
  )
})

describe('an error that the server answers with', () => {
  const fail = (client: MongoClient, data: Document | undefined) =>
    client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: data === undefined ? 'off' : 'alwaysOn',
      ...(data !== undefined && { data: { failCommands: ['insert'], ...data } }),
    })

  async function answerOf(data: Document) {
    const { client } = site.database
    await fail(client, data)
    try {
      return await errorOf((all) => all.insertOne({}))
    } finally {
      await fail(client, undefined)
    }
  }

  const codes: [code: number, name: string, cause: ErrorCause][] = [
    [6, 'HostUnreachable', 'environment'],
    [7, 'HostNotFound', 'environment'],
    [8, 'UnknownError', 'environment'],
    [9, 'FailedToParse', 'message'],
    [13, 'Unauthorized', 'environment'],
    [18, 'AuthenticationFailed', 'environment'],
    [24, 'LockTimeout', 'environment'],
    [26, 'NamespaceNotFound', 'environment'],
    [50, 'MaxTimeMSExpired', 'batch'],
    [63, 'StaleShardVersion', 'environment'],
    [89, 'NetworkTimeout', 'environment'],
    [91, 'ShutdownInProgress', 'environment'],
    [96, 'OperationFailed', 'environment'],
    [112, 'WriteConflict', 'environment'],
    [117, 'ConflictingOperationInProgress', 'environment'],
    [133, 'FailedToSatisfyReadPreference', 'environment'],
    [134, 'ReadConcernMajorityNotAvailableYet', 'environment'],
    [146, 'ExceededMemoryLimit', 'environment'],
    [189, 'PrimarySteppedDown', 'environment'],
    [225, 'TransactionTooOld', 'environment'],
    [246, 'SnapshotUnavailable', 'environment'],
    [251, 'NoSuchTransaction', 'batch'],
    [257, 'TransactionTooLarge', 'message'],
    [262, 'ExceededTimeLimit', 'batch'],
    [290, 'TransactionExceededLifetimeLimitSeconds', 'batch'],
    [291, 'NoQueryExecutionPlans', 'environment'],
    [9001, 'SocketException', 'environment'],
    [10_107, 'NotWritablePrimary', 'environment'],
    [10_334, 'BSONObjectTooLarge', 'message'],
    [11_600, 'InterruptedAtShutdown', 'environment'],
    [11_601, 'Interrupted', 'environment'],
    [11_602, 'InterruptedDueToReplStateChange', 'environment'],
    [13_435, 'NotPrimaryNoSecondaryOk', 'environment'],
    [13_436, 'NotPrimaryOrSecondary', 'environment'],
    [14_031, 'OutOfDiskSpace', 'environment'],
    [17_419, 'an update that would be too large', 'message'],
    [88_888, 'a number that nobody knows', 'message'],
  ]

  it.each(codes)('%i, %s, is of the %s', async (errorCode, _, cause) => {
    const error = await answerOf({ errorCode })
    expect([errorCauseOf(error), error]).toEqual([cause, expect.any(DatabaseError)])
  })

  it('is the environment’s where the connection is cut, or a write is not confirmed by the others', async () => {
    expect(errorCauseOf(await answerOf({ closeConnection: true }))).toBe('environment')
    const writeConcernError = { code: 64, codeName: 'WriteConcernFailed', errmsg: 'waiting timed out' }
    expect(errorCauseOf(await answerOf({ writeConcernError }))).toBe('environment')
  })

  it('is the batch’s where it takes longer than it may', async () => {
    const slow = { $where: 'sleep(300) || true' }
    const error = await errorOf(async (all) => {
      await all.insertOne({})
      await all.find(slow, { maxTimeMS: 20 }).toArray()
    })
    expect(errorCauseOf(error)).toBe('batch')
  })
})

it('is the environment’s where two transactions collide, and where the role may not write', async () => {
  const { client, db } = site.database
  const all = db.collection('collisions')
  const _id = new ObjectId()
  await all.insertOne({ _id, n: 0 })
  const [one, other] = [client.startSession(), client.startSession()]
  cleanUpLater(async () => {
    await one.endSession()
    await other.endSession()
  })
  one.startTransaction()
  other.startTransaction()
  await all.updateOne({ _id }, { $inc: { n: 1 } }, { session: one })
  const error = await errorOf(() => all.updateOne({ _id }, { $inc: { n: 1 } }, { session: other }))
  expect(errorCauseOf(error)).toBe('environment')
  await one.abortTransaction()

  const { owner, createUser } = await startSecuredMongod()
  await owner.db('school').createCollection('anything')
  const uri = await createUser('reader', [{ role: 'read', db: 'school' }])
  const volt = await AutoVolt.open({ uri, dbName: 'school' })
  cleanUpLater(() => volt.close())
  const refused = await volt.classrooms
    .create({ name: 'Room', timeZone: 'Asia/Kolkata' })
    .catch((caught: unknown) => caught)
  expect([errorCauseOf(refused), refused]).toEqual(['environment', expect.any(DatabaseError)])
})
