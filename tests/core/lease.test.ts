import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { Lease } from '../../src/core/lease.js'
import { aClassroom } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let volt: AutoVolt
let serial = 0

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

function leases(count: number, durationMs: number, from: AutoVolt = volt): Lease[] {
  serial += 1
  const name = `lease ${serial}`
  return Array.from({ length: count }, () => new Lease(from.database, { name, durationMs }))
}

const expire = (lease: Lease | undefined) =>
  database.db.collection('leases').updateOne({ name: lease?.name }, { $set: { expiresAt: new Date(0) } })

const storedLease = (lease: Lease | undefined) => database.db.collection('leases').findOne({ name: lease?.name })

describe('a lease', () => {
  it('is held by one, who may renew it', async () => {
    const [one, other] = leases(2, 60_000)
    expect([await one?.acquire(), await other?.acquire(), await one?.acquire(), await other?.acquire()]).toEqual([
      true,
      false,
      true,
      false,
    ])
    expect(one?.fence).toBe(1)
  })

  it('goes to another once it has expired, by the clock of the database', async () => {
    const clock = new SettableClock()
    const skewed = await openVolt(database, { clock })
    const [one] = leases(1, 2000)
    const other = new Lease(skewed.database, { name: one?.name ?? '', durationMs: 60_000 })
    expect(await one?.acquire()).toBe(true)
    clock.advance(86_400_000)
    expect(await other.acquire()).toBe(false)
    await eventually('the lease has expired', () => other.acquire())
    expect(await one?.acquire()).toBe(false)
    expect(other.fence).toBe(2)
  })

  it('has a fence that grows with a change of owner, and with nothing else', async () => {
    const [one, other] = leases(2, 60_000)
    const fences: unknown[] = []
    const note = async () => fences.push((await storedLease(one))?.fence)
    await one?.acquire()
    await note()
    await one?.acquire()
    await other?.acquire()
    await note()
    await expire(one)
    await one?.acquire()
    await note()
    await one?.release()
    await one?.acquire()
    await note()
    await one?.release()
    await other?.acquire()
    await note()
    expect(fences).toEqual([1, 1, 1, 1, 2])
    expect([one?.fence, other?.fence]).toEqual([1, 2])
  })

  it('is given up by its holder, and by nobody else', async () => {
    const [one, other] = leases(2, 60_000)
    await one?.acquire()
    await other?.release()
    expect(await other?.acquire()).toBe(false)
    await one?.release()
    expect(await other?.acquire()).toBe(true)
    await one?.release()
    expect(await other?.acquire()).toBe(true)
  })

  it('changes nothing where it is asked for in vain', async () => {
    const [one, other] = leases(2, 60_000)
    await one?.acquire()
    const before = await storedLease(one)
    await other?.acquire()
    expect(await storedLease(one)).toEqual(before)
  })
})

describe('guard()', () => {
  const write = (lease: Lease | undefined, name: string) =>
    volt.transaction(async () => {
      await lease?.guard()
      await volt.classrooms.create(aClassroom({ name }))
    })

  it('lets the holder write', async () => {
    const [one] = leases(1, 60_000)
    await one?.acquire()
    await write(one, 'by the holder')
    await write(one, 'by the holder again')
    expect(await volt.classrooms.exists({ name: 'by the holder again' })).toBe(true)
  })

  it('refuses whoever held it before, and whoever never did', async () => {
    const [one, other] = leases(2, 30)
    await expect(write(other, 'by nobody')).rejects.toMatchObject({ code: 'LEASE_LOST' })
    await one?.acquire()
    await sleep(40)
    await other?.acquire()
    await expect(write(one, 'by the old holder')).rejects.toMatchObject({
      code: 'LEASE_LOST',
      message: `The lease ${one?.name} has gone to another process`,
    })
    expect(await volt.classrooms.count({ name: 'by the old holder' })).toBe(0)
  })

  it('refuses a transaction during which the lease goes to another', async () => {
    const [one, other] = leases(2, 30)
    await one?.acquire()
    const attempt = volt.transaction(async () => {
      await volt.classrooms.count()
      await sleep(50)
      // The snapshot of this transaction still shows the old holder.
      await volt.database.transactions.outside(() => other?.acquire() ?? Promise.resolve(false))
      await one?.guard()
      await volt.classrooms.create(aClassroom({ name: 'too late' }))
    })
    await expect(attempt).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await volt.classrooms.count({ name: 'too late' })).toBe(0)
  })

  it('goes on working for a holder whose sessions come and go', async () => {
    const [one] = leases(1, 60_000)
    await one?.acquire()
    for (let time = 0; time < 130; time += 1) {
      await volt.transaction(async () => {
        await one?.guard()
        // As the driver does with those that were idle for half an hour.
        if (volt.database.transactions.session !== undefined)
          volt.database.transactions.session.serverSession.isDirty = true
      })
    }
    expect((await storedLease(one))?.sessions).toHaveLength(100)
  })

  it('leaves the sessions of a holder alone that has given the lease up: they serve other work by then', async () => {
    const [one, other] = leases(2, 60_000)
    await one?.acquire()
    await write(one, 'before the end')
    expect((await storedLease(one))?.sessions).toHaveLength(1)
    await one?.release()
    expect((await storedLease(one))?.sessions).toEqual([])
    await other?.acquire()
    expect(await one?.acquire()).toBe(false)
    await other?.release()
    await one?.acquire()
    await write(one, 'and again')
    expect((await storedLease(one))?.sessions).toHaveLength(1)
  })

  it('fences off a process that was stopped while it held the lease, and that woke up after its end', async () => {
    const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, LEASE: 'of the sleeper' }
    const sleeper = startChild(new URL('./processes/sleeper.ts', import.meta.url), { env })
    await sleeper.next('holding')
    process.kill(sleeper.pid, 'SIGSTOP')
    const successor = new Lease(volt.database, { name: 'of the sleeper', durationMs: 60_000 })
    await eventually('the lease has gone over', () => successor.acquire())
    process.kill(sleeper.pid, 'SIGCONT')
    expect(await sleeper.next('refused')).toMatchObject({ code: 'LEASE_LOST' })
    expect(successor.fence).toBe(2)
    await write(successor, 'by the successor')
    expect(await volt.classrooms.count({ name: 'by the sleeper, too late' })).toBe(0)
  })
})
