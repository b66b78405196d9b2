import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { change } from '../../src/core/repository/changes.js'
import { Repository } from '../../src/core/repository/repository.js'
import type { Classroom } from '../../src/devices/classroom.js'
import { aClassroom, aDevice, keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { type MongodProcess, startMongodProcess } from '../support/mongod-process.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  for (const name of ['classrooms', 'devices', 'power_settings']) await database.db.collection(name).deleteMany({})
})

describe('a transaction', () => {
  it('takes in every repository call made inside it, whatever the repository', async () => {
    const outside = await openVolt(database)
    await volt.transaction(async () => {
      const room = await volt.classrooms.create(aClassroom({ name: 'inside' }))
      await volt.devices.createMany([aDevice({ classroom: room._id }), aDevice({ classroom: room._id })])
      await volt.classrooms.update(room._id, { floor: 7 })
      await volt.powerSettings.upsert({ name: 'default' }, { electricityPrice: 1, currency: 'INR' })
      await volt.classrooms.bulk([{ create: aClassroom() }, { update: room._id, changes: { capacity: 5 } }])
      expect(await volt.classrooms.count()).toBe(2)
      expect(await volt.classrooms.get(room._id)).toMatchObject({ floor: 7, capacity: 5 })
      expect([await outside.classrooms.count(), await outside.devices.count()]).toEqual([0, 0])
    })
    expect([await outside.classrooms.count(), await outside.devices.count()]).toEqual([2, 2])
  })

  it('takes in calls that an operation makes itself, however many at once', async () => {
    class Rooms extends Repository<Classroom, { name: string }> {
      /** Asks for what it has inside an operation of its own. */
      counts(): Promise<number[]> {
        return this.database.run(this.entity, 'counts', () => Promise.all([this.count(), this.count(), this.count()]))
      }
    }
    const rooms = new Rooms(volt.database, volt.classrooms.entity)
    await volt.transaction(async () => {
      await volt.classrooms.create(aClassroom())
      expect(await Promise.all([rooms.counts(), rooms.counts()])).toEqual([
        [1, 1, 1],
        [1, 1, 1],
      ])
    })
  })

  it('gives back what its callback gives', async () => {
    expect(await volt.transaction(async () => 'result')).toBe('result')
  })

  it('stores nothing where its callback throws, and passes the error on as it is', async () => {
    const mistake = new RangeError('my own')
    const attempt = volt.transaction(async () => {
      await volt.classrooms.create(aClassroom())
      throw mistake
    })
    await expect(attempt).rejects.toBe(mistake)
    expect(await volt.classrooms.count()).toBe(0)
  })

  it('serialises calls made in parallel', async () => {
    await volt.transaction(async () => {
      const rooms = await Promise.all(Array.from({ length: 20 }, () => volt.classrooms.create(aClassroom())))
      await Promise.all(rooms.map(({ _id }, floor) => volt.classrooms.update(_id, { floor })))
      const [page, count, all] = await Promise.all([
        volt.classrooms.page(),
        volt.classrooms.count(),
        volt.classrooms.find(),
      ])
      expect([page.total, count, all.length]).toEqual([20, 20, 20])
    })
  })

  it('waits for calls that its callback did not await, as far as they were begun', async () => {
    await volt.transaction(async () => {
      void volt.classrooms.create(aClassroom())
      void volt.classrooms.create(aClassroom())
    })
    expect(await volt.classrooms.count()).toBe(2)
  })

  it('refuses calls that come after its end, and says why', async () => {
    let late: Promise<unknown> | undefined
    await volt.transaction(async () => {
      late = (async () => {
        await sleep(50)
        await volt.classrooms.create(aClassroom())
      })()
      late.catch(() => undefined)
    })
    await expect(late).rejects.toMatchObject({
      code: 'TRANSACTION',
      message: 'The transaction that this call belongs to has ended; await every call inside the transaction callback',
    })
    expect(await volt.classrooms.count()).toBe(0)
  })

  it('is joined by a transaction inside it', async () => {
    await expect(
      volt.transaction(async () => {
        await volt.transaction(() => volt.classrooms.create(aClassroom()))
        throw new Error('the outer fails')
      }),
    ).rejects.toThrow('the outer fails')
    expect(await volt.classrooms.count()).toBe(0)
    await volt.transaction(() => volt.transaction(() => volt.classrooms.create(aClassroom())))
    expect(await volt.classrooms.count()).toBe(1)
  })

  it('fails as a whole where one inside it has failed, though that was caught', async () => {
    const attempt = volt.transaction(async () => {
      await volt.classrooms.create(aClassroom())
      await volt
        .transaction(async () => {
          await volt.classrooms.create(aClassroom())
          throw new Error('the inner fails')
        })
        .catch(() => undefined)
    })
    await expect(attempt).rejects.toThrow('the inner fails')
    expect(await volt.classrooms.count()).toBe(0)
  })

  it('fails as a whole where a call has failed, though that was caught, and goes no further', async () => {
    await volt.classrooms.create(aClassroom({ name: 'taken' }))
    let afterwards: unknown
    const attempt = volt.transaction(async () => {
      await volt.classrooms.create(aClassroom())
      await volt.classrooms.create(aClassroom({ name: 'taken' })).catch(() => undefined)
      afterwards = await volt.classrooms.count().catch((error: unknown) => error)
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'There is already a classroom with name "taken"',
    })
    expect(afterwards).toMatchObject({
      code: 'TRANSACTION',
      message: 'An earlier call in this transaction failed, so nothing of it will be stored',
    })
    expect(await volt.classrooms.count()).toBe(1)
  })

  it('goes on where nothing was asked of the database that failed', async () => {
    await volt.transaction(async () => {
      await expect(volt.classrooms.create({ name: '' })).rejects.toMatchObject({ code: 'VALIDATION' })
      await expect(volt.classrooms.get('65f000000000000000000000')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await volt.classrooms.create(aClassroom())
    })
    expect(await volt.classrooms.count()).toBe(1)
  })

  it('leaves the calls of another handle outside', async () => {
    const other = await openVolt(database)
    await expect(
      volt.transaction(async () => {
        await other.classrooms.create(aClassroom({ name: 'stays' }))
        await volt.classrooms.create(aClassroom({ name: 'goes' }))
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    expect((await volt.classrooms.find()).map(({ name }) => name)).toEqual(['stays'])
  })

  it('runs beside another of the same handle, each with its own calls', async () => {
    const one = volt.transaction(async () => {
      await volt.classrooms.create(aClassroom({ name: 'one' }))
      await sleep(30)
      return volt.classrooms.count()
    })
    const two = volt.transaction(async () => {
      await volt.classrooms.create(aClassroom({ name: 'two' }))
      await sleep(30)
      return volt.classrooms.count()
    })
    expect(await Promise.all([one, two])).toEqual([1, 1])
    expect(await volt.classrooms.count()).toBe(2)
  })

  it('streams what it sees itself', async () => {
    await volt.classrooms.createMany([aClassroom(), aClassroom()])
    const names: string[] = []
    await volt.transaction(async () => {
      await volt.classrooms.create(aClassroom({ name: 'unseen by others' }))
      for await (const { _id, name } of volt.classrooms.stream({}, { batchSize: 1 })) {
        await volt.classrooms.update(_id, { floor: 9 })
        names.push(name)
      }
    })
    expect(names).toHaveLength(3)
    expect(await volt.classrooms.count({ floor: 9 })).toBe(3)
  })

  it('takes in documents that were found in it, when they are saved', async () => {
    const { _id } = await volt.classrooms.create(aClassroom({ floor: 1 }))
    const attempt = volt.transaction(async () => {
      const [document] = await volt.classrooms.findDocuments({ _id })
      document?.set('floor', 2)
      await document?.save()
      expect(await volt.classrooms.get(_id)).toMatchObject({ floor: 2 })
      const again = await volt.classrooms.getDocument(_id)
      expect(again.get('floor')).toBe(2)
      throw new Error('undone')
    })
    await expect(attempt).rejects.toThrow('undone')
    expect(await volt.classrooms.get(_id)).toMatchObject({ floor: 1, __v: 0 })
    await volt.transaction(async () => {
      const document = await volt.classrooms.getDocument(_id)
      document.set('floor', 3)
      await document.save()
    })
    expect(await volt.classrooms.get(_id)).toMatchObject({ floor: 3, __v: 1 })
  })

  it('loses no change where many of them change one document at once', async () => {
    const { _id } = await volt.classrooms.create(aClassroom({ floor: 0 }))
    const addOne = () =>
      volt.transaction(async () => {
        const { floor = 0 } = await volt.classrooms.get(_id)
        await volt.classrooms.update(_id, { floor: floor + 1 })
      })
    await Promise.all(Array.from({ length: 20 }, addOne))
    expect(await volt.classrooms.get(_id)).toMatchObject({ floor: 20, __v: 20 })
  })
})

describe('errors of a server that stumbles', () => {
  let mongod: MongodProcess
  let admin: MongoClient
  let stumbling: AutoVolt

  beforeAll(async () => {
    mongod = await startMongodProcess({ args: ['--setParameter', 'enableTestCommands=1'] })
    admin = new MongoClient(mongod.uri)
    stumbling = await AutoVolt.open({ uri: mongod.uri, dbName: 'school', keys: keyRing('first') })
    cleanUpLater(() => stumbling.close())
    cleanUpLater(() => admin.close())
    await stumbling.setup()
  })
  beforeEach(async () => {
    await failCommands(0, {})
    await stumbling.database.native.collection('classrooms').deleteMany({})
  })

  async function failCommands(times: number, data: object): Promise<void> {
    const mode = times === 0 ? 'off' : { times }
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode, data })
  }

  it('are met by doing the whole again, where they are labelled as transient', async () => {
    await failCommands(3, {
      failCommands: ['update', 'findAndModify'],
      errorCode: 112,
      errorLabels: ['TransientTransactionError'],
    })
    let runs = 0
    await stumbling.transaction(async () => {
      runs += 1
      const { _id } = await stumbling.classrooms.create(aClassroom())
      await stumbling.classrooms.update(_id, { floor: 1 })
    })
    expect(runs).toBe(4)
    expect(await stumbling.classrooms.count({ floor: 1 })).toBe(1)
  })

  it('are met so even where the callback has caught and wrapped them', async () => {
    await failCommands(2, { failCommands: ['insert'], errorCode: 112, errorLabels: ['TransientTransactionError'] })
    let runs = 0
    await stumbling.transaction(async () => {
      runs += 1
      await stumbling.classrooms.create(aClassroom()).catch((error: unknown) => {
        throw new Error('wrapped', { cause: error })
      })
    })
    expect(runs).toBe(3)
    expect(await stumbling.classrooms.count()).toBe(1)
  })

  it('are met so in createMany() and bulk() too, which are transactions of their own', async () => {
    const transient = { errorCode: 112, errorLabels: ['TransientTransactionError'] }
    await failCommands(2, { failCommands: ['insert'], ...transient })
    expect(await stumbling.classrooms.createMany([aClassroom(), aClassroom()])).toHaveLength(2)
    const [room] = await stumbling.classrooms.find()
    await failCommands(1, { failCommands: ['update'], ...transient })
    await stumbling.classrooms.bulk([
      { create: aClassroom() },
      { update: room?._id ?? '', changes: { floor: change.inc(1) } },
    ])
    expect(await stumbling.classrooms.count()).toBe(3)
    expect(await stumbling.classrooms.get(room?._id ?? '')).toMatchObject({ floor: 2, __v: 1 })
  })

  it('fail the transaction at once where they are not labelled', async () => {
    await failCommands(1, { failCommands: ['insert'], errorCode: 8000 })
    let runs = 0
    const attempt = stumbling.transaction(async () => {
      runs += 1
      await stumbling.classrooms.create(aClassroom())
    })
    await expect(attempt).rejects.toMatchObject({ name: 'DatabaseError' })
    expect(runs).toBe(1)
  })

  it('make the commit alone be repeated, where its outcome is not known', async () => {
    await failCommands(2, {
      failCommands: ['commitTransaction'],
      errorCode: 64,
      errorLabels: ['UnknownTransactionCommitResult'],
    })
    let runs = 0
    await stumbling.transaction(async () => {
      runs += 1
      await stumbling.classrooms.create(aClassroom())
    })
    expect(runs).toBe(1)
    expect(await stumbling.classrooms.count()).toBe(1)
  })

  it('are reported as an unknown outcome where that stays so', async () => {
    await failCommands(100, {
      failCommands: ['commitTransaction'],
      errorCode: 64,
      errorLabels: ['UnknownTransactionCommitResult'],
    })
    await expect(stumbling.transaction(() => stumbling.classrooms.create(aClassroom()))).rejects.toMatchObject({
      code: 'TRANSACTION',
      retryable: false,
      message: expect.stringContaining('it is not known whether it was'),
    })
  })

  it('make the whole be done again where the commit was refused as transient', async () => {
    await failCommands(1, {
      failCommands: ['commitTransaction'],
      errorCode: 251,
      errorLabels: ['TransientTransactionError'],
    })
    let runs = 0
    await stumbling.transaction(async () => {
      runs += 1
      await stumbling.classrooms.create(aClassroom())
    })
    expect(runs).toBe(2)
    expect(await stumbling.classrooms.count()).toBe(1)
  })

  it('are met with a second try by the driver outside of transactions', async () => {
    await failCommands(1, { failCommands: ['insert'], closeConnection: true })
    await stumbling.classrooms.create(aClassroom())
    await failCommands(1, { failCommands: ['find'], errorCode: 11600 })
    expect(await stumbling.classrooms.find()).toHaveLength(1)
  })

  it.each([
    [10107, 'CONNECTION'],
    [11600, 'CONNECTION'],
    [13435, 'CONNECTION'],
    [50, 'TIMEOUT'],
    [13, 'NOT_AUTHORIZED'],
    [286, 'HISTORY_LOST'],
    [2, 'DATABASE'],
  ])('have the code that fits: %i is %s', async (errorCode, code) => {
    await failCommands(100, { failCommands: ['find'], errorCode })
    await expect(stumbling.classrooms.find()).rejects.toMatchObject({ code })
  })
})
