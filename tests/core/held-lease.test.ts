import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { withHeldLease } from '../../src/core/held-lease.js'
import { Lease } from '../../src/core/lease.js'
import { setUpDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

describe('withHeldLease()', () => {
  it('gives what the work gives, and leaves the lease free, also after a failure', async () => {
    const options = { name: 'one after the other', durationMs: 60_000, waitMs: 0 }
    expect(await withHeldLease(volt.database, options, async () => 7)).toEqual({ result: 7 })
    const failing = withHeldLease(volt.database, options, () => Promise.reject(new RangeError('my own')))
    await expect(failing).rejects.toThrow('my own')
    expect(await withHeldLease(volt.database, options, async () => undefined)).toEqual({ result: undefined })
  })

  it('gives null to whoever will not wait, and its turn to whoever does', async () => {
    const options = { name: 'wanted by three', durationMs: 60_000, waitMs: 0 }
    let isDone = false
    const first = withHeldLease(volt.database, options, async () => {
      await sleep(100)
      isDone = true
    })
    await eventually(
      'the lease is held',
      async () => (await volt.database.of(volt.database.leaseEntity).count({ name: options.name })) === 1,
    )
    expect(await withHeldLease(volt.database, options, async () => 'second')).toBeNull()
    const third = await withHeldLease(volt.database, { ...options, waitMs: 60_000 }, async () => isDone)
    expect(third).toEqual({ result: true })
    await first
  })

  it('holds the lease for longer than it lasts', async () => {
    const options = { name: 'long work', durationMs: 300, waitMs: 0 }
    const other = new Lease(volt.database, options)
    await withHeldLease(volt.database, options, async () => {
      await sleep(700)
      expect(await other.acquire()).toBe(false)
    })
    expect(await other.acquire()).toBe(true)
  })

  it('aborts its signal when another process has taken the lease', async () => {
    const options = { name: 'lost', durationMs: 300, waitMs: 0 }
    await withHeldLease(volt.database, options, async (lease, signal) => {
      await database.db.collection('leases').updateOne({ name: 'lost' }, { $set: { owner: 'another', fence: 2 } })
      await eventually('the work is told', async () => signal.aborted)
      expect(signal.reason).toMatchObject({ code: 'LEASE_LOST' })
      await expect(volt.transaction(() => lease.guard())).rejects.toMatchObject({ code: 'LEASE_LOST' })
    })
  })
})
