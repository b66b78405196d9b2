import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { LegacyTotal, RunEvent } from '../../../src/migrations/index.js'
import { aClassroom, aDevice, aSwitch } from '../../support/builders.js'
import { type TestDatabase, testDatabase } from '../../support/database.js'
import { contents, notesOf, voltBefore } from './support.js'

const id = 'autovolt-8-legacy-consumption'
const switchId = new ObjectId()
const otherSwitchId = new ObjectId()

async function school(database: TestDatabase) {
  const volt = await voltBefore(database, id)
  await volt.setup()
  const room = await volt.classrooms.create(aClassroom({ name: 'Room 101' }))
  const device = await volt.devices.create(
    aDevice({
      classroom: room._id,
      switches: [aSwitch({ _id: switchId, gpio: 16 }), aSwitch({ _id: otherSwitchId, gpio: 17 })],
    }),
  )
  await volt.tariffs.set({ startsAt: new Date(0), currency: 'INR', pricePerKwh: 6 })
  // As it is where the library was never set up.
  await database.db.collection('power_consumption').drop()
  return { volt, room, device }
}

/** 100 W for two hours at 7.5 per kWh, as the origin writes it. */
function record(deviceId: ObjectId, start: string, fields: object = {}) {
  const startTime = new Date(start)
  return {
    _id: new ObjectId(),
    deviceId,
    switchId,
    classroom: 'Room 101',
    startTime,
    endTime: new Date(startTime.getTime() + 7_200_000),
    duration: 7_200_000,
    powerRating: 100,
    energyConsumed: 200,
    cost: 1.5,
    ratePerKwh: 7.5,
    manualEntry: false,
    ...fields,
  }
}

async function totalsOf(volt: AutoVolt): Promise<LegacyTotal[]> {
  const totals: LegacyTotal[] = []
  for await (const total of volt.migrations.compareLegacyConsumption()) totals.push(total)
  return totals.toSorted((a, b) => a.day.localeCompare(b.day))
}

describe(id, () => {
  it('makes two entries of each record, in the order of time, with the energy in watt-seconds and all of it running', async () => {
    const database = testDatabase()
    const { volt, room, device } = await school(database)
    const records = [
      record(device._id, '2025-11-04T10:00:00Z'),
      // The day changes at 18:30 in UTC. The end follows from the duration, ids are digits, and the room is the device's.
      record(device._id, '2025-11-03T17:30:00Z', {
        endTime: undefined,
        classroom: undefined,
        switchId: switchId.toHexString(),
      }),
      // Its energy is not that of its rating, and stands; it begins where the one before it ends; its price is that of then.
      record(device._id, '2025-11-04T12:00:00Z', { energyConsumed: 150, ratePerKwh: 0, cost: 0.9 }),
      record(device._id, '2025-11-04T10:00:00Z', { switchId: otherSwitchId }),
    ]
    await database.db.collection('power_consumption').insertMany(records)
    const old = await contents(database, 'power_consumption')
    await volt.migrations.migrate()

    const entries = await volt.ledger.find({ switchId }, { sort: { sequence: 1 } })
    const shown = entries.map(
      ({ eventType, timestamp, powerRating, ratePerKwh, cumulativeEnergy, calculatedCost, metadata }) => [
        eventType,
        timestamp.toISOString().slice(0, 16),
        powerRating,
        ratePerKwh,
        cumulativeEnergy,
        calculatedCost,
        metadata.originalRecordId,
      ],
    )
    const [second, first, third] = records.map(({ _id }) => _id.toHexString())
    expect(shown).toEqual([
      ['switch_on', '2025-11-03T17:30', 100, 7.5, 0, 0, first],
      ['switch_off', '2025-11-03T19:30', 100, 7.5, 720_000, 1.5, first],
      ['switch_on', '2025-11-04T10:00', 100, 7.5, 720_000, 1.5, second],
      ['switch_off', '2025-11-04T12:00', 100, 7.5, 1_440_000, 3, second],
      ['switch_on', '2025-11-04T12:00', 75, 6, 1_440_000, 3, third],
      ['switch_off', '2025-11-04T14:00', 75, 6, 1_980_000, 3.9, third],
    ])
    expect(new Set(entries.map(({ metadata }) => metadata.source))).toEqual(new Set(['migration']))
    expect(entries.every(({ classroom }) => classroom.equals(room._id))).toBe(true)
    expect(await volt.ledger.verifyChainIntegrity(device._id, switchId)).toMatchObject({ valid: true })
    expect(await contents(database, 'power_consumption')).toEqual(old)
    expect(await notesOf(volt, id)).toEqual([
      '4 records are in the ledger, 2 switches on 3 days: 0.750 kWh in both, a cost of 5.40 in the records and 5.40 in the ledger',
    ])
    expect((await totalsOf(volt)).filter((total) => total.switchId.equals(switchId))).toEqual([
      {
        switchId,
        day: '2025-11-03',
        recordsEnergyWs: 360_000,
        ledgerEnergyWs: 360_000,
        recordsCost: 0.75,
        ledgerCost: 0.75,
      },
      {
        switchId,
        day: '2025-11-04',
        recordsEnergyWs: 1_620_000,
        ledgerEnergyWs: 1_620_000,
        recordsCost: 3.15,
        ledgerCost: 3.15,
      },
    ])
    await expect(volt.migrations.rollback({ steps: 4 })).rejects.toMatchObject({ code: 'IRREVERSIBLE' })
  })

  it('counts each energy once, leaves what is not fit, and says why', async () => {
    const database = testDatabase()
    const { volt, device } = await school(database)
    const live = {
      switchId,
      deviceId: device._id,
      classroom: device.classroom!,
      powerRating: 100,
      energySource: 'rated',
    }
    await volt.ledger.append([
      {
        ...live,
        energySource: 'rated',
        timestamp: new Date('2025-11-05T00:00:00Z'),
        receivedAt: new Date('2025-11-05T00:00:00Z'),
        eventType: 'switch_on',
        powerState: true,
        gapLimitMs: 300_000,
        ratePerKwh: 7,
        flags: [],
        metadata: { source: 'mqtt' },
        idempotencyKey: 'live-1',
      },
    ])
    const records = [
      record(device._id, '2025-11-03T10:00:00Z'),
      record(device._id, '2025-11-03T11:00:00Z'),
      record(device._id, '2025-11-04T23:00:00Z'),
      record(device._id, '2025-11-01T10:00:00Z', { switchId: undefined }),
      record(device._id, '2025-11-01T10:00:00Z', { classroom: 'Room 102' }),
      record(device._id, '2025-11-01T10:00:00Z', { endTime: undefined, duration: undefined }),
      record(device._id, '2025-11-01T10:00:00Z', { endTime: new Date('2025-11-01T10:00:00Z') }),
      record(device._id, '2025-11-01T10:00:00Z', { energyConsumed: '200' }),
      record(device._id, '2025-11-01T10:00:00Z', { startTime: '2025-11-01' }),
      record(new ObjectId(), '2025-11-01T10:00:00Z', { deviceId: 'relay-1' }),
      record(new ObjectId(), '2025-11-01T10:00:00Z', { deviceId: null }),
      // Of a device that is not there any more; its room is.
      record(new ObjectId(), '2025-11-02T10:00:00Z', { switchId: new ObjectId(), cost: 2 }),
    ]
    await database.db.collection('power_consumption').insertMany(records)
    await volt.migrations.migrate()
    const entries = await volt.ledger.find({ 'metadata.source': 'migration' })
    expect(entries.map(({ metadata }) => metadata.originalRecordId).toSorted()).toEqual(
      [records[0], records[0], records[11], records[11]].map((one) => String(one?._id)).toSorted(),
    )
    const notes = await notesOf(volt, id)
    expect(notes[0]).toMatch(
      /^2 records are in the ledger, 2 switches on 2 days: 0.400 kWh in both, a cost of 3.50 .* 3.00/,
    )
    const reasons = [
      'it overlaps another record of its switch',
      'the ledger has entries of its switch from other sources of that time or before it',
      'it names no switch, and its device has not one alone',
      'its room is not there',
      'it has neither an end nor a duration',
      'it does not end after it starts',
      'its energy is no number of watt-hours',
      'it has no start',
    ]
    for (const reason of reasons)
      expect(notes).toContainEqual(expect.stringContaining(`1 records were left where they are: ${reason} (`))
    expect(notes).toContainEqual(expect.stringContaining('2 records were left where they are: its device is no id'))
    expect(notes).toContainEqual(
      expect.stringMatching(/on 2025-11-02: a cost of 2.00 in the records, 1.50 by their prices$/),
    )
    expect(notes).toHaveLength(reasons.length + 3)
  })

  it('is run again for records that have come since, also for those of a time before', async () => {
    const database = testDatabase()
    const { volt, device } = await school(database)
    const old = database.db.collection('power_consumption')
    await old.insertMany([record(device._id, '2025-11-03T10:00:00Z'), record(device._id, '2025-11-05T10:00:00Z')])
    await volt.migrations.migrate()
    await old.insertMany([
      record(device._id, '2025-11-04T10:00:00Z'),
      record(device._id, '2025-11-06T10:00:00Z'),
      // It overlaps one that is in the ledger, though it starts before it.
      record(device._id, '2025-11-05T09:00:00Z'),
    ])
    await volt.migrations.repair(id, 'not-applied')
    await volt.migrations.migrate()
    expect(await volt.ledger.count({ switchId })).toBe(8)
    const [head] = await volt.ledger.find({ switchId }, { sort: { sequence: -1 }, limit: 1 })
    expect(head?.cumulativeEnergy).toBe(4 * 720_000)
    const notes = await notesOf(volt, id)
    expect(notes[0]).toMatch(/^4 records are in the ledger, 1 switches on 4 days: 0.800 kWh/)
    expect(notes[1]).toMatch(/^1 records were left where they are: it overlaps/)
  })

  it('goes on where it was stopped', async () => {
    const database = testDatabase()
    const { volt, device } = await school(database)
    const count = 5_000
    const startMs = Date.parse('2024-01-01T00:00:00Z')
    const records = Array.from({ length: count }, (_, n) => {
      const startTime = new Date(startMs + n * 3_600_000)
      const endTime = new Date(startTime.getTime() + 1_800_000)
      const of = n % 2 === 0 ? switchId : otherSwitchId
      return record(device._id, startTime.toISOString(), {
        switchId: of,
        endTime,
        duration: 1_800_000,
        energyConsumed: 50,
      })
    })
    await database.db.collection('power_consumption').insertMany(records)
    const stop = new AbortController()
    const onEvent = (event: RunEvent) => {
      if (event.type === 'progress' && event.migration === id && event.done >= 4_000) stop.abort()
    }
    const stopped = volt.migrations.migrate({ signal: stop.signal, onEvent })
    await expect(stopped).rejects.toMatchObject({ code: 'MIGRATION_STOPPED' })
    expect(await volt.ledger.count({})).toBeLessThan(2 * count)
    await volt.migrations.migrate()
    expect(await volt.ledger.count({})).toBe(2 * count)
    for (const one of [switchId, otherSwitchId]) {
      const [head] = await volt.ledger.find({ switchId: one }, { sort: { sequence: -1 }, limit: 1 })
      expect(head?.cumulativeEnergy).toBe((count / 2) * 180_000)
      expect(await volt.ledger.verifyChainIntegrity(device._id, one)).toMatchObject({ valid: true })
    }
  })
})
