import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { aClassroom } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const database = setUpDatabase()
let volt: AutoVolt
let other: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  other = await openVolt(database)
})

describe('append() in a transaction', () => {
  it('is stored with everything else that the transaction stores', async () => {
    const events = readings(3)
    const appended = await volt.transaction(async () => {
      await volt.classrooms.create(aClassroom({ name: 'with entries' }))
      const inside = await volt.ledger.append(events)
      expect(await other.ledger.count({ switchId: events[0]!.switchId })).toBe(0)
      return inside
    })
    const entries = await chainOf(database.db, events[0]!.switchId)
    expect(entries).toEqual(appended.map(({ entry }) => entry))
    expectSound(entries)
  })

  it('leaves nothing where the transaction is rolled back, and the chain goes on as if it had not been', async () => {
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    await volt.ledger.append([first!])
    const undone = volt.transaction(async () => {
      expect((await volt.ledger.append([second!]))[0]).toMatchObject({ isNew: true, entry: { sequence: 2 } })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await chainOf(database.db, own.switchId)).toHaveLength(1)
    const [appended] = await volt.ledger.append([third!])
    expect(appended?.entry).toMatchObject({ sequence: 2, cumulativeEnergy: 12_000 })
    expectSound(await chainOf(database.db, own.switchId))
  })

  it('sees the entries that it has appended itself', async () => {
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    await volt.transaction(async () => {
      await volt.ledger.append([first!, third!])
      expect(await volt.ledger.count({ switchId: own.switchId })).toBe(2)
      const [late, again] = await volt.ledger.append([second!, first!])
      expect(late).toMatchObject({ isNew: true, entry: { sequence: 3, flags: ['late'], cumulativeEnergy: 12_000 } })
      expect(again).toMatchObject({ isNew: false, entry: { sequence: 1 } })
    })
    expectSound(await chainOf(database.db, own.switchId))
  })

  it('takes calls that are made in parallel one after the other', async () => {
    const own = aSwitchInLedger()
    await volt.transaction(async () => {
      await Promise.all(Array.from({ length: 10 }, (_, call) => volt.ledger.append(readings(3, own, `call ${call}`))))
    })
    const entries = await chainOf(database.db, own.switchId)
    expect(entries).toHaveLength(30)
    expectSound(entries)
  })

  it('appends an event once that is twice in the call, or was appended before', async () => {
    const own = aSwitchInLedger()
    const [first, second] = readings(2, own)
    await volt.ledger.append([first!])
    const appended = await volt.transaction(() => volt.ledger.append([second!, first!, second!]))
    expect(appended.map(({ isNew, entry }) => [isNew, entry.sequence])).toEqual([
      [true, 2],
      [false, 1],
      [false, 2],
    ])
    expect(await chainOf(database.db, own.switchId)).toHaveLength(2)
  })

  it('begins again where another writer was first, without a fork', async () => {
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    await volt.ledger.append([first!])
    let attempts = 0
    const [appended] = await volt.transaction(async () => {
      attempts += 1
      // The transaction has seen the chain before the other one goes on with it.
      await volt.ledger.count({ switchId: own.switchId })
      if (attempts === 1) await other.ledger.append([second!])
      return volt.ledger.append([third!])
    })
    expect(attempts).toBe(2)
    expect(appended).toMatchObject({ isNew: true, entry: { sequence: 3, cumulativeEnergy: 12_000 } })
    expectSound(await chainOf(database.db, own.switchId))
  })

  it('finds the entry of an event that another writer appended meanwhile', async () => {
    const own = aSwitchInLedger()
    const [event] = readings(1, own)
    let attempts = 0
    const [appended] = await volt.transaction(async () => {
      attempts += 1
      await volt.ledger.count({ switchId: own.switchId })
      if (attempts === 1) await other.ledger.append([event!])
      return volt.ledger.append([event!])
    })
    expect(appended).toMatchObject({ isNew: false, entry: { sequence: 1 } })
    expect(await chainOf(database.db, own.switchId)).toHaveLength(1)
  })

  it('gets along with transactions and other appends to the same chains, of two handles', async () => {
    const switches = Array.from({ length: 4 }, () => aSwitchInLedger())
    const work = Array.from({ length: 40 }, async (_, job) => {
      const own = switches[job % 4]!
      const { ledger, transaction } = job % 2 === 0 ? volt : other
      const handle = job % 2 === 0 ? volt : other
      // Late facts make a queue look into the database while a transaction tells it to forget the chain.
      const events = [3, 1, 2].map((minute) =>
        anEvent({ ...own, timestamp: at(60 * (10 * job + minute)), idempotencyKey: `${job} ${minute}` }),
      )
      if (job % 3 === 0) await transaction.call(handle, () => ledger.append(events))
      else await ledger.append(events)
    })
    await Promise.all(work)
    for (const [index, { switchId }] of switches.entries()) {
      const entries = await chainOf(database.db, switchId)
      const jobs = Array.from({ length: 40 }, (_, job) => job).filter((job) => job % 4 === index)
      expect(new Set(entries.map(({ idempotencyKey }) => idempotencyKey))).toEqual(
        new Set(jobs.flatMap((job) => [1, 2, 3].map((minute) => `${job} ${minute}`))),
      )
      expect(entries).toHaveLength(30)
      expectSound(entries)
      // 100 W: two minutes within each job, and no energy over the gaps between jobs, which are longer than five minutes.
      expect(entries.at(-1)?.cumulativeEnergy).toBe(jobs.length * 12_000)
    }
  })

  it('appends thousands of events of many chains', async () => {
    const switches = Array.from({ length: 200 }, () => aSwitchInLedger())
    const events = Array.from({ length: 20 }, (_, minute) => minute).flatMap((minute) =>
      switches.map((own) => anEvent({ ...own, timestamp: at(60 * minute) })),
    )
    const appended = await volt.transaction(() => volt.ledger.append(events))
    expect(appended.map(({ entry }) => entry.sequence)).toEqual(events.map((_, index) => 1 + Math.floor(index / 200)))
    const again = await volt.ledger.append(events)
    expect(again.every(({ isNew }) => !isNew)).toBe(true)
  })

  it('is refused after the end of the transaction', async () => {
    const own = aSwitchInLedger()
    let late: Promise<unknown> | undefined
    await volt.transaction(async () => {
      late = new Promise((resolve) => setTimeout(resolve, 20)).then(() => volt.ledger.append(readings(1, own)))
      late.catch(() => undefined)
    })
    await expect(late).rejects.toMatchObject({ code: 'TRANSACTION' })
    expect(await chainOf(database.db, own.switchId)).toEqual([])
  })
})
