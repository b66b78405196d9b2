import { Binary, ObjectId } from 'mongodb'
import mongoose from 'mongoose'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { generateHash, genesisHash } from '../../../src/ledger/entry/hash.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound, hex } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

describe('append()', () => {
  it('makes the first event of a switch the first entry of its chain', async () => {
    const event = anEvent()
    const [appended] = await volt.ledger.append([event])
    expect(appended).toEqual({
      isNew: true,
      entry: {
        ...event,
        _id: expect.any(ObjectId),
        formatVersion: expect.any(Number),
        sequence: 1,
        cumulativeEnergy: 0,
        cumulativeProduction: 0,
        calculatedCost: 0,
        flags: ['placed'],
        previousHash: new Binary(Buffer.from(genesisHash, 'hex')),
        hash: expect.any(Binary),
      },
    })
    expect(generateHash(appended!.entry)).toBe(hex(appended?.entry.hash))
  })

  it('gives back the entries as they are stored', async () => {
    const own = aSwitchInLedger()
    const full = anEvent({
      ...own,
      timestamp: at(60),
      reading: { powerW: -0.25, energyWh: 1e15, counterQuantumWh: 0.1, counterWidthWh: 1e6, maximumPower: 1e9 },
      silentSince: at(-600),
      flags: ['estimated', 'snapshot'],
      metadata: {
        source: 'api',
        firmwareVersion: 'größer ✓',
        voltage: 230.5,
        current: 0,
        powerFactor: -1,
        temperature: -40.25,
        bootId: '7',
        deviceSequence: 2 ** 40,
        originalRecordId: 'r',
      },
    })
    const appended = await volt.ledger.append([anEvent(own), full])
    expect(await chainOf(database.db, own.switchId)).toEqual(appended.map(({ entry }) => entry))
    expect(await volt.ledger.get(appended[1]!.entry._id)).toEqual(appended[1]?.entry)
  })

  it('takes ids as hexadecimal text and instants as ISO 8601', async () => {
    const { switchId, timestamp, ...event } = anEvent()
    const [appended] = await volt.ledger.append([
      { ...event, switchId: switchId.toHexString(), timestamp: timestamp.toISOString() },
    ])
    expect(appended?.entry).toMatchObject({ switchId, timestamp })
  })

  it('numbers each chain for itself, in the order of the events', async () => {
    const [a, b] = [aSwitchInLedger(), aSwitchInLedger()]
    const [ofA, ofB] = [readings(3, a), readings(2, b)]
    const mixed = [ofA[0]!, ofB[0]!, ofA[1]!, ofA[2]!, ofB[1]!]
    const appended = await volt.ledger.append(mixed)
    expect(appended.map(({ entry }) => [entry.idempotencyKey, entry.sequence])).toEqual([
      ['reading 0', 1],
      ['reading 0', 1],
      ['reading 1', 2],
      ['reading 2', 3],
      ['reading 1', 2],
    ])
    expectSound(await chainOf(database.db, a.switchId))
    expectSound(await chainOf(database.db, b.switchId))
  })

  it('goes on with a chain in a later call, also of another handle', async () => {
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    await volt.ledger.append([first!])
    await volt.ledger.append([second!])
    const other = await openVolt(database)
    await other.ledger.append([third!])
    const entries = await chainOf(database.db, own.switchId)
    expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expectSound(entries)
    expect(entries.map(({ cumulativeEnergy }) => cumulativeEnergy)).toEqual([0, 6000, 12_000])
  })

  it('keeps the order of arrival, and flags what tells of an earlier time as late', async () => {
    const own = aSwitchInLedger()
    const appended = await volt.ledger.append([
      anEvent({ ...own, timestamp: at(60) }),
      anEvent({ ...own, timestamp: at(0), flags: ['snapshot'] }),
      anEvent({ ...own, timestamp: at(30), flags: ['late'] }),
      anEvent({ ...own, timestamp: at(60) }),
      anEvent({ ...own, timestamp: at(90) }),
    ])
    expect(appended.map(({ entry }) => entry.flags)).toEqual([['placed'], ['late', 'snapshot'], ['late'], [], []])
    expect(appended.map(({ entry }) => entry.sequence)).toEqual([1, 2, 3, 4, 5])
  })

  it('knows after a restart what is late, also behind late entries', async () => {
    const own = aSwitchInLedger()
    await volt.ledger.append([anEvent({ ...own, timestamp: at(60) }), anEvent({ ...own, timestamp: at(0) })])
    const other = await openVolt(database)
    const [appended] = await other.ledger.append([anEvent({ ...own, timestamp: at(30) })])
    expect(appended?.entry.flags).toEqual(['late'])
  })

  it('stores entries that fit their hashes, whatever the caller does to an event meanwhile', async () => {
    const event = anEvent({ silentSince: at(-600) })
    const call = volt.ledger.append([event])
    const change = setInterval(() => {
      for (const date of [event.timestamp, event.receivedAt, event.silentSince!]) date.setTime(date.getTime() + 1)
    })
    await call
    clearInterval(change)
    expectSound(await chainOf(database.db, event.switchId))
  })

  it('adds to the registers, or takes from them, what was adjusted by hand, and goes on from there', async () => {
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    const adjustment = { energyWs: -1000.001, productionWs: 0.5, cost: 2.5 }
    const adjusted = anEvent({
      ...own,
      timestamp: at(90),
      eventType: 'manual_adjustment',
      reading: undefined,
      adjustment,
      idempotencyKey: 'adjusted',
    })
    const appended = await volt.ledger.append([first!, second!, adjusted, third!])
    expect(appended.map(({ entry }) => [entry.cumulativeEnergy, entry.cumulativeProduction])).toEqual([
      [0, 0],
      [6000, 0],
      [4999.999, 0.5],
      [10_999.999, 0.5],
    ])
    expect(appended.at(-1)?.entry.calculatedCost).toBeCloseTo(2.5 + (12 * 7.5) / 3600, 9)
  })

  it('appends nothing for no events', async () => {
    expect(await volt.ledger.append([])).toEqual([])
    expect(await volt.transaction(() => volt.ledger.append([]))).toEqual([])
  })

  it('appends 10,000 events of one chain in a call, in their order', async () => {
    const own = aSwitchInLedger()
    const appended = await volt.ledger.append(readings(10_000, own))
    expect(appended.map(({ entry }) => entry.idempotencyKey)).toEqual(
      Array.from({ length: 10_000 }, (_, index) => `reading ${index}`),
    )
    const entries = await chainOf(database.db, own.switchId)
    expect(entries).toHaveLength(10_000)
    expectSound(entries)
    expect(entries.at(-1)?.cumulativeEnergy).toBe(9999 * 6000)
  })

  it('appends the events of more chains in a call than a batch has', async () => {
    const appended = await volt.ledger.append(Array.from({ length: 2_000 }, () => anEvent()))
    expect(new Set(appended.map(({ entry }) => String(entry.switchId))).size).toBe(2_000)
    expect(appended.every(({ entry, isNew }) => isNew && entry.sequence === 1)).toBe(true)
  })

  it('appends what many calls bring at once, each with its own answer', async () => {
    const switches = Array.from({ length: 20 }, () => aSwitchInLedger())
    const calls = Array.from({ length: 200 }, (_, index) => readings(3, switches[index % 20], `call ${index}`))
    const answers = await Promise.all(calls.map((events) => volt.ledger.append(events)))
    for (const [index, appended] of answers.entries()) {
      expect(appended.map(({ entry }) => entry.idempotencyKey)).toEqual(
        calls[index]?.map(({ idempotencyKey }) => idempotencyKey),
      )
      const [first, second, third] = appended.map(({ entry }) => entry.sequence)
      expect([first! < second!, second! < third!]).toEqual([true, true])
    }
    for (const { switchId } of switches) {
      const entries = await chainOf(database.db, switchId)
      expect(entries).toHaveLength(30)
      expectSound(entries)
    }
  })

  it('reads from the primary what it goes on with, also where the host reads from secondaries', async () => {
    const connection = mongoose.createConnection(`${database.uri}&readPreference=secondaryPreferred`, {
      dbName: database.dbName,
      monitorCommands: true,
    })
    cleanUpLater(() => connection.destroy())
    await connection.asPromise()
    const preferences: unknown[] = []
    connection.getClient().on('commandStarted', ({ command }) => {
      if (command.find === 'power_consumption_ledger') preferences.push(command.$readPreference)
    })
    const own = aSwitchInLedger()
    const [first, second, third] = readings(3, own)
    const other = AutoVolt.attach(connection)
    await other.ledger.append([second!])
    await other.ledger.append([first!, third!, second!])
    await other.transaction(() => other.ledger.append([first!]))
    expect(preferences.length).toBeGreaterThan(2)
    expect(new Set(preferences)).toEqual(new Set([undefined]))
    const entries = await chainOf(database.db, own.switchId)
    expectSound(entries)
    expect(entries.at(-1)?.cumulativeEnergy).toBe(12_000)
  })
})
