import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import type { EntityChange, ResumeToken } from '../../../src/core/repository/change-stream.js'
import { where } from '../../../src/core/repository/conditions.js'
import { aClassroom, keyRing } from '../../support/builders.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { testDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { startMongodProcess } from '../../support/mongod-process.js'
import { openVolt } from '../../support/volt.js'
import { aThing, setUpThings, type Thing, type Things, thingEntity } from '../support/thing.js'

const database = testDatabase()
let things: Things

beforeAll(async () => {
  things = await setUpThings(await openVolt(database, { hostEntities: [thingEntity] }))
})

/** The next changes of the stream, which is then let go of. */
async function take<Change>(changes: AsyncGenerator<Change>, count: number): Promise<Change[]> {
  const taken: Change[] = []
  for await (const change of changes) {
    taken.push(change)
    if (taken.length === count) break
  }
  return taken
}

describe('watch()', () => {
  it('tells every kind of change, with the document as it is then', async () => {
    const collection = database.db.collection('things')
    const changes = await things.watch()
    const { _id } = await things.create(aThing({ rank: 1 }))
    await things.update(_id, { rank: 2 })
    const stored = await collection.findOne({ _id })
    await collection.replaceOne({ _id }, { ...stored, rank: 3 })
    await collection.deleteOne({ _id })
    const seen = await take(changes, 4)
    expect(seen.map(({ type, id }) => [type, id])).toEqual(
      ['created', 'updated', 'replaced', 'deleted'].map((type) => [type, _id]),
    )
    expect(seen[0]).toMatchObject({ document: { code: expect.any(String), rank: 1 } })
    // Each is looked up when it is read; by now the document is gone.
    expect(seen[1]).toMatchObject({ document: null })
    expect(seen[3]).toMatchObject({ document: null })
    expectTypeOf(seen[0]).toEqualTypeOf<EntityChange<Thing> | undefined>()
  })

  it('begins when it resolves, and not with what was before', async () => {
    await things.create(aThing({ label: 'before' }))
    const changes = await things.watch({}, {})
    await things.create(aThing({ label: 'after' }))
    expect((await take(changes, 1))[0]).toMatchObject({ document: { label: 'after' } })
  })

  it('sees what happens before it is first read', async () => {
    const changes = await things.watch()
    await things.createMany([aThing({ rank: 1 }), aThing({ rank: 2 }), aThing({ rank: 3 })])
    const seen = await take(changes, 3)
    expect(seen.map(({ document }) => document?.rank)).toEqual([1, 2, 3])
  })

  it('applies its filter to what a document is after the change, and lets every deletion through', async () => {
    const changes = await things.watch(where.and({ rank: where.gt(10) }, { 'size.width': 1 }))
    const [small, large] = await things.createMany([aThing({ rank: 5 }), aThing({ rank: 20, size: { width: 1 } })])
    await things.update(small?._id ?? '', { rank: 11, size: { width: 1 } })
    await database.db.collection('things').deleteOne({ _id: small?._id ?? new ObjectId() })
    const seen = await take(changes, 2)
    expect(seen.map(({ type, id }) => [type, id])).toEqual([
      ['created', large?._id],
      ['deleted', small?._id],
    ])
  })

  it('tells of a soft deletion as an update', async () => {
    const { _id } = await things.create(aThing())
    const changes = await things.watch()
    await things.delete(_id)
    expect((await take(changes, 1))[0]).toMatchObject({ type: 'updated', document: { deletedAt: expect.any(Date) } })
  })

  it('never shows a secret', async () => {
    const changes = await things.watch()
    const { _id } = await things.create(aThing({ secret: 'hidden' }))
    await things.update(_id, { secret: 'changed', rank: 1 })
    const seen = await take(changes, 2)
    for (const { document } of seen) expect(document).not.toHaveProperty('secret')
    expect(JSON.stringify(seen)).not.toContain('av1.')
  })

  it('goes on after a token, exactly behind it', async () => {
    const first = await things.watch()
    await things.createMany([aThing({ rank: 1 }), aThing({ rank: 2 }), aThing({ rank: 3 })])
    const [, second] = await take(first, 2)
    await things.create(aThing({ rank: 4 }))
    const resumed = await things.watch({}, { resumeAfter: JSON.parse(JSON.stringify(second?.resumeToken)) })
    expect((await take(resumed, 2)).map(({ document }) => document?.rank)).toEqual([3, 4])
  })

  it('may be called any number of times at once', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    const controller = new AbortController()
    const all = await Promise.all(Array.from({ length: 15 }, () => things.watch({}, { signal: controller.signal })))
    const next = all.map((changes) => take(changes, 1))
    await things.create(aThing({ label: 'seen by all' }))
    for (const [change] of await Promise.all(next)) expect(change).toMatchObject({ document: { label: 'seen by all' } })
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('ends by its signal, at once and quietly', async () => {
    const controller = new AbortController()
    const changes = await things.watch({}, { signal: controller.signal })
    const next = changes.next()
    controller.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    const never = await things.watch({}, { signal: AbortSignal.abort() })
    expect(await never.next()).toEqual({ done: true, value: undefined })
  })

  it.each([{}, 'token', { _data: 5 }, { _data: 'not hexadecimal' }, { _data: { $gt: '' } }, null])(
    'refuses %j as a token',
    async (resumeAfter) => {
      await expect(things.watch({}, { resumeAfter: resumeAfter as ResumeToken })).rejects.toMatchObject({
        name: 'ValidationError',
        issues: [{ path: 'resumeAfter' }],
      })
    },
  )

  it.each(['00'.repeat(8), 'FF'.repeat(40), `82${'65F0'.repeat(20)}`])(
    'refuses %s, which the server cannot read',
    async (_data) => {
      const changes = await things.watch({}, { resumeAfter: { _data } })
      await expect(changes.next()).rejects.toMatchObject({ issues: [{ path: 'resumeAfter' }] })
    },
  )

  it('says so when the collection is dropped, instead of waiting for ever', async () => {
    const volt = await openVolt(testDatabase())
    await volt.setup()
    const changes = await volt.classrooms.watch({ name: 'x' })
    const said = expect(changes.next()).rejects.toMatchObject({ code: 'HISTORY_LOST' })
    await volt.database.native.collection('classrooms').drop()
    await said
  })

  it('is outside of the transaction that it is called in', async () => {
    const volt = await openVolt(testDatabase())
    await volt.setup()
    const changes = await volt.transaction(async () => {
      const watched = await volt.classrooms.watch()
      await volt.classrooms.create(aClassroom({ name: 'committed' }))
      return watched
    })
    expect((await take(changes, 1))[0]).toMatchObject({ document: { name: 'committed' } })
  })
})

describe('a server that is killed while it is watched', () => {
  it('goes on where it broke off once it is back, and nothing is lost or doubled', async () => {
    const mongod = await startMongodProcess()
    const volt = await AutoVolt.open({ uri: mongod.uri, dbName: 'school', serverSelectionTimeoutMs: 1_000 })
    cleanUpLater(() => volt.close())
    await volt.setup()
    const seen: string[] = []
    const changes = await volt.classrooms.watch()
    const watching = (async () => {
      for await (const { document } of changes) seen.push(document?.name ?? '')
    })()
    for (let time = 0; time < 2; time += 1) {
      await volt.classrooms.create(aClassroom({ name: `before ${time}` }))
      await eventually('it is seen', () => seen.includes(`before ${time}`))
      await mongod.kill()
      await mongod.start()
      await eventually('writes go through again', () => volt.classrooms.create(aClassroom({ name: `after ${time}` })))
    }
    await eventually('the last is seen', () => seen.includes('after 1'), { timeoutMs: 120_000 })
    expect(seen).toEqual(['before 0', 'after 0', 'before 1', 'after 1'])
    await volt.close()
    await watching
  })

  it('says so when the history is gone', async () => {
    // What the last checkpoint does not cover yet is kept, whatever the size.
    const mongod = await startMongodProcess({ args: ['--oplogSize', '1', '--syncdelay', '1'] })
    const volt = await AutoVolt.open({ uri: mongod.uri, dbName: 'school', keys: keyRing('first') })
    cleanUpLater(() => volt.close())
    await volt.setup()
    const changes = await volt.classrooms.watch()
    await volt.classrooms.create(aClassroom())
    const [first] = await take(changes, 1)
    const filler = volt.database.native.collection('filler')
    const gone = async () => {
      await filler.insertMany(Array.from({ length: 40 }, () => ({ text: 'x'.repeat(100_000) })))
      const resumed = await volt.classrooms.watch({}, { resumeAfter: first?.resumeToken as ResumeToken })
      const next = resumed.next()
      const error: unknown = await Promise.race([
        next.then(
          () => undefined,
          (reason: unknown) => reason,
        ),
        new Promise((resolve) => setTimeout(resolve, 300)),
      ])
      return error
    }
    const error = await eventually('the oplog has rolled over', gone, { timeoutMs: 120_000 })
    expect(error).toMatchObject({ name: 'DatabaseError', code: 'HISTORY_LOST', retryable: false })
  })
})
