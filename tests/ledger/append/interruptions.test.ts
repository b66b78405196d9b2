import { setTimeout as sleep } from 'node:timers/promises'
import mongoose from 'mongoose'
import { describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { DatabaseError } from '../../../src/core/errors.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { testDatabase } from '../../support/database.js'
import { startMongodProcess } from '../../support/mongod-process.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound, hex } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const database = testDatabase()

describe('append() on a handle that is closed', () => {
  it('is refused, on a connection of its own and on a borrowed one', async () => {
    const volt = await openVolt(database)
    await volt.setup()
    const connection = await mongoose.createConnection(database.uri, { dbName: database.dbName }).asPromise()
    cleanUpLater(() => connection.destroy())
    const borrowing = AutoVolt.attach(connection)
    for (const handle of [volt, borrowing]) {
      const [event] = readings(1)
      await handle.ledger.append([anEvent()])
      await handle.close()
      await expect(handle.ledger.append([event!])).rejects.toMatchObject({ code: 'CLOSED' })
      expect(await chainOf(database.db, event!.switchId)).toEqual([])
    }
  })

  it('ends every call that is under way: appended, or refused as closed', async () => {
    const volt = await openVolt(database)
    await volt.setup()
    const switches = Array.from({ length: 20 }, () => aSwitchInLedger())
    const calls = switches.map((own) => volt.ledger.append(readings(500, own)))
    const ends = Promise.allSettled(calls)
    await sleep(30)
    await volt.close()
    for (const [index, end] of (await ends).entries()) {
      const entries = await chainOf(database.db, switches[index]!.switchId)
      if (end.status === 'fulfilled') expect(entries).toHaveLength(500)
      else expect(end.reason).toMatchObject({ code: 'CLOSED' })
      expectSound(entries)
    }
    const other = await openVolt(database)
    for (const own of switches) {
      await other.ledger.append(readings(500, own))
      const entries = await chainOf(database.db, own.switchId)
      expect(entries).toHaveLength(500)
      expectSound(entries)
    }
  })
})

describe('append() while the database is killed', () => {
  it('is durable or rejected, and with the same keys everything is there once in the end', async () => {
    const mongod = await startMongodProcess()
    const volt = await AutoVolt.open({ uri: mongod.uri, dbName: 'school' })
    cleanUpLater(() => volt.close())
    await volt.setup()
    const switches = Array.from({ length: 6 }, () => aSwitchInLedger())
    const eventsOf = (call: number) =>
      switches.map((own) => anEvent({ ...own, timestamp: at(60 * call), idempotencyKey: `call ${call}` }))
    const acknowledged = new Map<string, string>()
    const rejected: number[] = []
    const append = async (call: number) => {
      try {
        const appended = await volt.ledger.append(eventsOf(call))
        for (const { entry } of appended) acknowledged.set(`${entry.switchId} ${entry.idempotencyKey}`, hex(entry.hash))
      } catch (error) {
        expect(error).toBeInstanceOf(DatabaseError)
        rejected.push(call)
      }
    }
    const calls: Promise<void>[] = []
    for (let call = 0; call < 300; call += 1) {
      calls.push(append(call))
      await sleep(1)
      if (call === 150) await mongod.kill()
    }
    await Promise.all(calls)
    expect(rejected.length).toBeGreaterThan(0)
    expect(acknowledged.size).toBeGreaterThan(0)
    await mongod.start()
    for (const { switchId } of switches) {
      const entries = await chainOf(volt.database.native, switchId)
      expectSound(entries)
      const stored = new Map(entries.map(({ idempotencyKey, hash }) => [`${switchId} ${idempotencyKey}`, hex(hash)]))
      const ofSwitch = [...acknowledged].filter(([key]) => key.startsWith(String(switchId)))
      for (const [key, hash] of ofSwitch) expect(stored.get(key)).toBe(hash)
    }
    for (const call of rejected.splice(0)) await append(call)
    expect(rejected).toEqual([])
    for (const { switchId } of switches) {
      const entries = await chainOf(volt.database.native, switchId)
      expect(entries).toHaveLength(300)
      expectSound(entries)
      expect(entries.at(-1)?.cumulativeEnergy).toBe(299 * 6000)
    }
  })
})
