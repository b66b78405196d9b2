import { BSON, type Document, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { AdoptionMapping } from '../../../src/migrations/index.js'
import { setUpDatabase, type TestDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { adopted, device, deviceOf, lamp, lampSwitch, logOf, reasonsIn, secret, time } from './small-origin.js'

async function everythingIn({ db }: TestDatabase): Promise<string> {
  const names = (await db.listCollections().toArray()).map(({ name }) => name)
  const all = await Promise.all(names.map((name) => db.collection(name).find().toArray()))
  return BSON.EJSON.stringify(all)
}

describe('documents that nobody has foreseen', () => {
  it('stop no adoption: powers that no switch has give way to its rating, and it is said', async () => {
    const odd = deviceOf({})
    const { volt, reasons, report } = await adopted({
      devices: [odd],
      activitylogs: [
        ...[Number.POSITIVE_INFINITY, 5e7, Number.NaN, '60', -40].flatMap((powerConsumption, at) => [
          logOf(2 * at, { powerConsumption }),
          logOf(2 * at + 1, { action: 'off' }),
        ]),
      ],
      switchstatelogs: [
        { deviceId: odd._id, switchName: 'Lamp', state: true, timestamp: time(1), powerRating: -40 },
        { deviceId: odd._id, switchName: 'Lamp', state: false, timestamp: time(2), powerRating: 40 },
      ],
      device_consumption_ledger: [
        {
          device_id: device.toHexString(),
          switch_id: lamp.toHexString(),
          start_ts: time(20),
          end_ts: time(21),
          power_w: 2e6,
          delta_wh: 2e6,
          switch_on_duration_seconds: 3600,
        },
      ],
    })
    expect(reasons.filter((one) => one.includes('its power cannot be one'))).toHaveLength(5 + 1)
    expect(reasons).toContain('left device_consumption_ledger: a power that no switch has')
    expect(report.switches.map(({ energyWs, ledgerEnergyWs }) => [energyWs, ledgerEnergyWs])).toEqual([
      [5 * 144_000, 5 * 144_000],
      [144_000, 144_000],
    ])
    expect((await volt.ledger.verify()).findings).toEqual([])
  })

  it('stop no adoption: names, settings and preferences that cannot be kept are said, and the rest is adopted', async () => {
    const { volt, reasons } = await adopted({
      devices: [
        deviceOf({ classroom: 'R'.repeat(300) }),
        deviceOf({ classroom: new ObjectId() }),
        deviceOf({ switches: [{ name: 'Lamp', relayGpio: 4, type: 'constructor' }] }),
      ],
      users: [
        {
          email: 'mira@example.org',
          name: 'Mira',
          role: 'teacher',
          assignedRooms: ['Room A', 'Nowhere'],
          notificationPreferences: { 'a.b': 1 },
        },
        { _id: device, email: 'one@example.org', name: 'One' },
        { _id: device.toHexString(), email: 'two@example.org', name: 'Two' },
      ] as Document[],
      powersettings: [{ electricityPrice: 7, currency: 'INR', deviceTypes: [null] }],
      cost_versions: [
        { cost_per_kwh: 7, scope: 'global', is_active: true, effective_from: time(2), effective_until: time(1) },
        { cost_per_kwh: 8, scope: 'global', is_active: true, effective_from: time(3), effective_until: 'never' },
      ],
    })
    expect(reasons.filter((one) => one.includes('is no name of one, and it went to unassigned'))).toHaveLength(2)
    expect(await volt.devices.count()).toBe(4)
    expect(reasons).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^noted users: rooms that are not there are assigned to it: Nowhere; what was chosen .*a\.b/,
        ),
        expect.stringMatching(/^left powersettings: deviceTypes\.0/),
        'left cost_versions: it ends before it begins',
        expect.stringMatching(/^noted cost_versions: until when it holds cannot be read/),
      ]),
    )
    expect(await volt.users.findOne({ email: 'mira@example.org' })).toMatchObject({ assignedClassrooms: [{}] })
    // An ObjectId and its digits are two ids.
    expect((await volt.users.findOne({ email: 'one@example.org' }))?._id).toEqual(device)
    expect((await volt.users.findOne({ email: 'two@example.org' }))?._id).not.toEqual(device)
  })

  it('are told apart by ids of any kind and length', async () => {
    const long = 'i'.repeat(300)
    const ids: readonly unknown[] = [{ a: 1 }, { a: 2 }, `${long}1`, `${long}2`, new BSON.Binary(Buffer.from([1, 254]))]
    const { target, report } = await adopted({
      activitylogs: [
        ...ids.map((_id) => logOf(0, { _id, action: 'status_check' })),
        logOf(1, { _id: { b: 1 } }),
        logOf(2, { _id: { b: 2 }, action: 'off' }),
        logOf(3, { _id: `${long}3` }),
        logOf(4, { _id: `${long}4`, action: 'off' }),
      ],
      schedules: [{ _id: { a: 1 } }, { _id: { a: 2 } }] as Document[],
    })
    const count = (name: string, filter: Document) => target.db.collection(name).countDocuments(filter)
    expect(await count('adoption_rejects', { kind: 'left' })).toBe(ids.length)
    expect(await count('adoption_extras', { originCollection: 'schedules' })).toBe(2)
    expect(await count('power_consumption_ledger', {})).toBe(4)
    expect(report.switches).toMatchObject([{ energyWs: 288_000, ledgerEnergyWs: 288_000 }])
  })

  it('are said to be left out where they are among the switches of a device, or have the id of another switch', async () => {
    const { volt, reasons } = await adopted({
      devices: [
        deviceOf({ name: 'mixed', switches: [null, 'odd', { name: 'Lamp', relayGpio: 4 }] }),
        deviceOf({ name: 'no list', switches: { lamp: 1 } }),
        deviceOf({ name: 'copy', switches: [{ ...lampSwitch, name: 'Copied' }] }),
      ],
    })
    expect(reasons.join('\n')).toContain('something among its switches is none, and was left out')
    expect(reasons.join('\n')).toContain('its switches are no list, and were left out')
    expect(reasons.join('\n')).toContain('got an id of its own')
    const copy = await volt.devices.findOne({ name: 'copy' })
    expect(copy?.switches).toMatchObject([{ name: 'Copied' }])
    expect(copy?.switches[0]?._id).not.toEqual(lamp)
    expect((await volt.devices.get(device)).switches[0]?._id).toEqual(lamp)
  })

  it('of a device that is left because ours has its address are left too, until somebody has decided', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await origin.db.collection('devices').insertOne(deviceOf({ _id: device, switches: [lampSwitch] }))
    await origin.db.collection('activitylogs').insertMany([logOf(1, {}), logOf(2, { action: 'off' })])
    const volt = await openVolt(target)
    const { macAddress } = (await origin.db.collection<{ macAddress: string }>('devices').findOne()) ?? {}
    const room = await volt.classrooms.create({ name: 'Room B', timeZone: 'Asia/Kolkata' })
    const ours = await volt.devices.create({ name: 'Ours', macAddress, classroom: room._id, switches: [] })
    const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
    const first = await volt.migrations.adopt(options)
    expect(first.adopted).toMatchObject({ devices: 0, ledgerEntries: 0, activities: 0 })
    expect(await reasonsIn(target)).toEqual([
      expect.stringMatching(/^left devices: .*a document that is there already has its macAddress: [0-9a-f]{24}/),
      'left activitylogs: of a device that is not there',
      'left activitylogs: of a device that is not there',
    ])
    await volt.devices.update(ours._id, { macAddress: '02:00:00:00:FF:FF' })
    expect((await volt.migrations.adopt(options)).adopted).toMatchObject({ devices: 1, ledgerEntries: 2 })
    expect(await reasonsIn(target)).toEqual(['noted devices: it has no secret: give it one'])
  })
})

describe('secrets', () => {
  it('come along under no name, and in no text', async () => {
    const names =
      'passwordHash plainPassword hashedPassword userpassword refresh_token_hash privateKey secretKey mnemonic credentials twoFactorBackupCodes sessionCookie apiKeyHash otpCode wifiPassword authorization passphrase pwd psk mqttPass pin'
    const named = Object.fromEntries(names.split(' ').map((name, at) => [name, `LEAK-${at}`]))
    const { target, volt } = await adopted({
      users: [
        { email: 'none', name: 'No address', ...named, nested: [{ deeper: named }], canResetPasswords: true },
        { email: 'typed@example.org', name: 'Typed', password: 'LEAK-typed-in', settings: { ui: named } },
      ],
      activitylogs: [
        { context: { payload: `{"mac":"02","secret":"${secret}"}`, text: 'wifiPassword = LEAK-1; other=2' } },
        { details: `authenticated with ${secret}: ok`, header: 'Bearer LEAK-2' },
        { details: 'user typed LEAK-typed-in, and mongodb://host:LEAK-3@server/db failed' },
        { details: '{\\"token\\": \\"LEAK-4\\", \\"ok\\": 1}' },
      ].map((fields) => logOf(0, { ...fields, action: 'status_check' })),
      settings: [{ notifications: { smtp: { user: 'school', pass: 'LEAK-5' } }, uri: 'mongodb://u:LEAK-6@h/db' }],
    })
    const everything = await everythingIn(target)
    expect(everything.match(/LEAK-[\w-]+|invented-device-secret/g)).toBeNull()
    // What is none stays.
    for (const kept of ['canResetPasswords', 'authenticated with ***: ok', 'other=2', '"user":"school"'])
      expect(everything).toContain(kept)
    expect(await volt.devices.revealSecret(device, 'secret')).toBe(secret)
  })

  it('come along under no name that only a mapping tells', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    const hash = `$2a$12$${'a'.repeat(53)}`
    await origin.db.collection('devices').insertOne(deviceOf({ geheim: 'LEAK-of-a-device' }))
    await origin.db.collection('users').insertOne({ email: 'mira@example.org', name: 'Mira', zugang: { wort: hash } })
    const volt = await openVolt(target)
    const options = { from: origin.dbName, timeZone: 'Europe/Berlin' }
    const { mapping } = await volt.migrations.assessAdoption(options)
    await volt.migrations.adopt({ ...options, mapping: edited(mapping) })
    const extras = await target.db.collection('adoption_extras').find().toArray()
    expect(BSON.EJSON.stringify(extras)).not.toMatch(/LEAK|geheim|wort/)
    await expectTaken(volt, target, hash)
  })
})

function edited(mapping: AdoptionMapping): AdoptionMapping {
  const copy = JSON.parse(JSON.stringify(mapping))
  copy.collections.devices.fields.deviceSecret.from = 'geheim'
  copy.collections.users.fields.password.from = 'zugang.wort'
  return copy
}

async function expectTaken(volt: AutoVolt, { db }: TestDatabase, hash: string): Promise<void> {
  const [one] = await volt.devices.find()
  expect(await volt.devices.revealSecret(one?._id ?? '', 'secret')).toBe('LEAK-of-a-device')
  expect(await db.collection('users').findOne()).toMatchObject({ password: hash })
}
