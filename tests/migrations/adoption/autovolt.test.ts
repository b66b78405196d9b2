import { createHash } from 'node:crypto'
import { BSON, type Db, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { AdoptionReport } from '../../../src/migrations/index.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { expectAdopted } from './expect-adopted.js'
import { loadOrigin, originDocuments } from './origin-data.js'

const origin = testDatabase()
const target = testDatabase()
const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
let volt: AutoVolt
let assessment: AdoptionReport
let report: AdoptionReport
let before: string

beforeAll(async () => {
  await loadOrigin(origin.db, 'autovolt')
  before = await contentOf(origin.db)
  volt = await openVolt(target)
  assessment = await volt.migrations.assessAdoption(options)
  expect(await target.db.listCollections().toArray()).toEqual([])
  report = await volt.migrations.adopt(options)
})

/** A checksum of all documents. */
async function contentOf(db: Db): Promise<string> {
  const hash = createHash('sha256')
  const names = (await db.listCollections().toArray()).map(({ name }) => name).toSorted()
  for (const name of names) {
    for await (const document of db.collection(name).find().sort({ _id: 1 })) hash.update(BSON.serialize(document))
  }
  return hash.digest('hex')
}

describe('a database of AutoVolt', () => {
  it('is assessed as it is adopted then, and never written to', async () => {
    expect(report.system).toBe('autovolt')
    expect(assessment.isAssessment).toBe(true)
    expect(report.adopted).toEqual(assessment.adopted)
    expect(report.collections).toEqual(assessment.collections)
    expect(report.wholeDevices).toEqual(assessment.wholeDevices)
    expect(assessment.estimatedMs).toBeGreaterThanOrEqual(assessment.durationMs)
    const withoutLedger = report.switches.map(({ ledgerEnergyWs, ...rest }) => rest)
    expect(withoutLedger).toEqual(assessment.switches)
    expect(await contentOf(origin.db)).toBe(before)
  })

  it('yields the counts of what fits', () => {
    expect(report.adopted).toEqual({
      users: 9,
      classrooms: 6,
      devices: 5,
      costVersions: 6,
      powerSettings: 1,
      // Presses, state logs, the tracker's intervals, and adjustments of devices as a whole.
      ledgerEntries: 127 + 15 + 10 + 11,
      activities: 125,
      measurements: 32,
      telemetryEvents: 6,
      marketOrders: 0,
      marketTransactions: 0,
      // rolepermissions 9, schedules 9, telegramusers 9, settings 2, and five collections of 8
      kept: 9 + 9 + 9 + 2 + 5 * 8,
    })
  })

  it('has in the ledger what each switch has used, to the milliwatt-second', () => {
    for (const { energyWs, ledgerEnergyWs } of report.switches) expect(ledgerEnergyWs).toBe(energyWs)
    const sum = report.switches
      .filter(({ collection }) => collection === 'activitylogs')
      .reduce((all, { energyWs }) => all + energyWs, 0)
    expect(sum).toBe(82_579_200)
    const tracker = report.switches.filter(({ collection }) => collection === 'device_consumption_ledger')
    expect(tracker.map(({ name, energyWs }) => [name, energyWs])).toEqual([['Side Light', 1_008_000]])
  })

  it('books what is known of devices as a whole on channels of their own, and leaves gaps', async () => {
    const corridor = await volt.devices.findOne({ name: 'Corridor' })
    expect(corridor?.switches.map(({ name, gpio, type }) => [name, gpio, type]).at(-1)).toEqual([
      'Whole device',
      255,
      'meter',
    ])
    expect((await volt.devices.get('68da2060000002b100000001')).switches).toHaveLength(4)
    const gap = { originCollection: 'powerreadings', originId: '6919d1d800001ab100000011' }
    expect(await target.db.collection('adoption_rejects').findOne(gap)).toMatchObject({
      kind: 'noted',
      reason: expect.stringContaining('a gap'),
    })
    const of = Object.fromEntries(report.wholeDevices.map((one) => [one.deviceId.toHexString(), one]))
    expect(of['68da2060000002b100000002']).toMatchObject({
      collections: ['device_consumption_ledger', 'energyconsumptions'],
      days: 2,
      energyWh: 2183.5,
    })
  })

  it('compares what was summed up with what is computed, and says on which days they differ', async () => {
    const days = target.db.collection('adoption_days')
    const said = async (originCollection: string) =>
      (await days.find({ originCollection, isSame: false }).sort({ period: 1, originWh: 1 }).toArray()).map(
        ({ period, originWh, energyWh }) => [period, Math.round(originWh), Math.round(energyWh)],
      )
    // The sums of 13 November are told again as 14 November's; the others are of a script that has every switch on for eight hours.
    expect(await said('daily_aggregates')).toEqual([
      ['2025-11-05', 0, 320],
      ['2025-11-05', 1240, 460],
      ['2025-11-05', 2128, 60],
      ['2025-11-05', 15440, 2250],
      ['2025-11-13', 2259, 2134],
      ['2025-11-14', 2259, 2250],
    ])
    expect(await days.countDocuments({ subject: 'switch', isSame: false })).toBe(0)
    expect(await days.countDocuments({ subject: 'switch' })).toBe(51 + 7 + 6)
    expect(report.days.find(({ collection }) => collection === 'daily_aggregates')).toMatchObject({
      compared: 7,
      differing: 6,
    })
    expect(report.remarks.join('\n')).toContain('daily_aggregates: 6 of 7 days')
  })

  it('keeps what the library has no place for yet, with the rooms that it names', async () => {
    const extras = target.db.collection('adoption_extras')
    const room = await volt.classrooms.findOne({ name: 'Room 101' })
    const access = await extras.findOne({ originCollection: 'classroomaccesses', classroom: room?._id })
    expect(access?.document.classroom).toMatch(/^room 101$/i)
    expect(await extras.countDocuments({ originCollection: 'schedules' })).toBe(9)
    expect(
      await extras.findOne({ originCollection: 'users', adoptedId: new ObjectId('68ce34d0000001b100000001') }),
    ).toMatchObject({
      originId: '68ce34d0000001b100000001',
    })
  })

  it('has energy, cost and problems exactly as an independent program has them', () => expectAdopted(volt, target.db))

  it('leaves no document without a word: what was not adopted is in the report and kept whole', async () => {
    for (const { collection, documents, treatment, left } of report.collections) {
      const kept = { originCollection: collection, kind: 'left' }
      expect([collection, await target.db.collection('adoption_rejects').countDocuments(kept)]).toEqual([
        collection,
        left,
      ])
      expect(documents).toBe(await origin.db.collection(collection).countDocuments())
      if (treatment === 'stays') expect(left).toBe(0)
    }
    const of = (name: string) => report.collections.find(({ collection }) => collection === name)
    expect(of('users')).toMatchObject({ documents: 10, left: 1 })
    expect(of('devices')).toMatchObject({ documents: 8, left: 3 })
    expect(of('classrooms')).toMatchObject({ documents: 8, left: 2 })
    expect(of('activitylogs')).toMatchObject({ documents: 190, left: 190 - 125 - 2 })
    expect(of('cost_versions')).toMatchObject({ documents: 8, left: 5 })
    expect(of('tickets')).toMatchObject({ documents: 9, treatment: 'stays' })
  })

  it('keeps ids, rooms, tariffs and what has no counterpart', async () => {
    const device = await volt.devices.get('68da2060000002b100000001')
    const room = await volt.classrooms.get(device.classroom!)
    expect(room).toMatchObject({ name: 'Room 101', timeZone: 'Asia/Kolkata', building: 'Main', floor: 1 })
    expect(await volt.devices.findOne({ name: 'Corridor' })).toMatchObject({
      classroom: (await volt.classrooms.findOne({ name: 'unassigned' }))?._id,
    })
    expect((await volt.devices.findOne({ name: 'PhysicsLab_A' }))?.switches[0]).toMatchObject({ gpio: 26 })
    expect(await volt.classrooms.findOne({ name: 'Physics_Lab' })).toMatchObject({ tariff: 'Physics_Lab' })
    const prices = async (tariff: string) =>
      (await volt.tariffs.list(tariff)).map(({ startsAt, pricePerKwh }) => [startsAt.toISOString(), pricePerKwh])
    expect(await prices('default')).toEqual([
      ['2025-10-01T00:00:00.000Z', 7],
      ['2025-11-09T18:30:00.000Z', 8.25],
    ])
    expect(await prices('Physics_Lab')).toEqual([
      ['2025-10-01T00:00:00.000Z', 7],
      ['2025-11-04T18:30:00.000Z', 6.5],
      ['2025-11-07T18:30:00.000Z', 7],
      ['2025-11-09T18:30:00.000Z', 8.25],
    ])
    const extras = { originCollection: 'users', originId: '68ce34d0000001b100000001' }
    const extra = await target.db.collection('adoption_extras').findOne(extras)
    expect(extra?.document).toMatchObject({ department: 'Office', employeeId: 'E-001' })
  })

  it('keeps roles, profiles, rooms, preferences and hashes of passwords of users', async () => {
    const origins = new Map(
      originDocuments('autovolt')
        .get('users')
        ?.map((user) => [String(user._id), user]),
    )
    const roles = Object.fromEntries(
      (await volt.users.find()).map(({ _id, role }) => [origins.get(String(_id))?.role, role]),
    )
    expect(roles).toEqual({
      'super-admin': 'super-admin',
      admin: 'admin',
      dean: 'faculty',
      hod: 'faculty',
      teacher: 'faculty',
      faculty: 'faculty',
      student: 'student',
      security: 'user',
      guest: 'user',
    })
    const teacher = await volt.users.get('68ce34d0000001b100000003')
    const rooms = await Promise.all(teacher.assignedClassrooms?.map((id) => volt.classrooms.get(id)) ?? [])
    expect(rooms.map(({ name }) => name).toSorted()).toEqual(['Physics_Lab', 'Room 101'])
    expect(teacher.profile).toMatchObject({ department: 'Science' })
    expect(await volt.userPreferences.forUser('68ce34d0000001b100000004')).toMatchObject({
      notifications: { telegram: true },
      other: { notificationPreferences: { securityAlerts: true } },
    })
    for (const { _id, password } of await target.db.collection('users').find().toArray()) {
      const before: unknown = origins.get(String(_id))?.password
      const isHash = /^\$2[aby]\$\d\d\$.{53}$/.test(String(before))
      expect(password).toBe(isHash ? before : undefined)
    }
  })

  it('takes secrets of devices encrypted, and no other secret anywhere', async () => {
    expect(await volt.devices.revealSecret('68da2060000002b100000001', 'secret')).toBe('invented-secret-0001-not-real')
    const secrets = /invented-secret|\$2a\$12|typed-in|deviceSecret|password/
    for (const { name } of await target.db.listCollections().toArray()) {
      // The hashes of passwords, and records that one was set.
      const documents = await target.db
        .collection(name)
        .find({}, { projection: { password: 0, action: 0 } })
        .toArray()
      expect([name, secrets.exec(BSON.EJSON.stringify(documents))?.[0]]).toEqual([name, undefined])
    }
  })

  it('adds nothing when it is run again, and changes nothing that was changed here since', async () => {
    await volt.users.update('68ce34d0000001b100000001', { name: 'Asha V.' })
    const entries = await target.db.collection('power_consumption_ledger').countDocuments()
    const again = await volt.migrations.adopt(options)
    expect({ ...again, durationMs: 0 }).toEqual({ ...report, durationMs: 0 })
    for (const [name, count] of [
      ['energy_measurements', 32],
      ['telemetry_events', 6],
    ] as const)
      expect([name, await target.db.collection(name).countDocuments()]).toEqual([name, count])
    expect(await target.db.collection('power_consumption_ledger').countDocuments()).toBe(entries)
    expect((await volt.users.get('68ce34d0000001b100000001')).name).toBe('Asha V.')
    expect((await volt.ledger.verify()).findings).toEqual([])
  })

  it('refuses itself as its origin, and a database of another system', async () => {
    const itself = { ...options, from: target.dbName }
    await expect(volt.migrations.adopt(itself)).rejects.toMatchObject({ code: 'CONFIGURATION' })
    const none = { ...options, from: 'there_is_none' }
    await expect(volt.migrations.assessAdoption(none)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const odd = { ...options, timeZone: 'Asia/Nowhere' }
    await expect(volt.migrations.assessAdoption(odd)).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})
