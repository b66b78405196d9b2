import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { aClassroom, aDevice } from '../../support/builders.js'
import { type TestDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { originDocuments } from '../adoption/origin-data.js'
import { shippedIds } from '../support/migrating.js'
import { contents, notesOf, voltBefore } from './support.js'

const fixtures = (system: 'autovolt' | 'maestro' | 'jupiter', name: string) => originDocuments(system).get(name) ?? []

async function insert({ db }: TestDatabase, name: string, documents: readonly object[]): Promise<void> {
  await db.collection(name).insertMany(documents.map((document) => ({ ...document })))
}

describe('all of them', () => {
  it('run on an empty database, and setup() has nothing left to do', async () => {
    const volt = await openVolt(testDatabase())
    const planned = await volt.migrations.plan()
    expect(planned[0]?.changes).toContainEqual({ collection: 'devices', note: 'would be created' })
    const { applied } = await volt.migrations.migrate()
    expect(applied).toEqual(shippedIds)
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
    const { migrations } = await volt.migrations.status()
    expect(migrations.flatMap(({ notes = [] }) => notes)).toEqual([])
    expect((await volt.migrations.migrate()).applied).toEqual([])
    await volt.migrations.rollback({ steps: 3 })
    await expect(volt.migrations.rollback()).rejects.toMatchObject({ code: 'IRREVERSIBLE' })
  })

  it('run after setup(), too, and by a host that renames collections later', async () => {
    const database = testDatabase()
    const volt = await openVolt(database)
    await volt.setup()
    await volt.migrations.migrate()
    const renamed = await openVolt(database, { collections: { devices: 'relay_boxes', powerConsumption: 'old_power' } })
    expect(await renamed.migrations.validate()).toEqual([])
  })

  it('lose no document of the origin systems in our own database, and change none that is not theirs to change', async () => {
    const database = testDatabase()
    for (const [name, documents] of originDocuments('jupiter')) await insert(database, name, documents)
    for (const [name, documents] of originDocuments('autovolt')) {
      // Of these ours are of another kind, which only an adoption into another database can bring together.
      if (!['users', 'telemetry_events'].includes(name)) await insert(database, name, documents)
    }
    const names = (await database.db.listCollections().toArray()).map(({ name }) => name)
    const old = await contents(database, ...names)
    const volt = await openVolt(database)
    await volt.migrations.migrate()
    const now = await contents(database, ...names)
    const touched = new Set(['alerts', 'cases', 'devices', 'device_consumption_ledger'])
    for (const name of names) {
      expect(
        now[name]?.map(({ _id }) => String(_id)),
        name,
      ).toEqual(old[name]?.map(({ _id }) => String(_id)))
      if (!touched.has(name)) expect(now[name], name).toEqual(old[name])
    }
  })
})

describe('autovolt-1-initial-schema', () => {
  it('creates what is missing, and leaves what does not fit for setup()', async () => {
    const database = testDatabase()
    await insert(database, 'devices', fixtures('autovolt', 'devices'))
    const volt = await openVolt(database)
    await volt.migrations.migrate({ to: 'autovolt-1-initial-schema' })
    const report = await volt.setup({ dryRun: true })
    const differing = report.collections.filter(({ state }) => state !== 'same')
    expect(differing.map(({ collection }) => collection)).toEqual(['devices'])
  })
})

describe('autovolt-2-collection-names', () => {
  const id = 'autovolt-2-collection-names'

  it('copies what fits, keeps what it copied from, says what was left, and takes back its copies alone', async () => {
    const database = testDatabase()
    const { db } = database
    const volt = await voltBefore(database, id)
    const other = await openVolt(database, { collections: { costVersions: 'costversions', tariffs: 'old_tariffs' } })
    await other.setup()
    await other.tariffs.set({ startsAt: new Date(0), currency: 'INR', pricePerKwh: 7 })
    await other.tariffs.set({ startsAt: new Date('2026-01-01'), currency: 'INR', pricePerKwh: 8 })
    // The same start as the first one has: its place is taken.
    await volt.setup()
    await volt.tariffs.set({ startsAt: new Date(0), currency: 'INR', pricePerKwh: 6 })
    await insert(database, 'deviceconsumptionledgers', fixtures('autovolt', 'device_consumption_ledger'))
    await insert(database, 'powersettings', fixtures('autovolt', 'powersettings'))
    await insert(database, 'activitylogs', fixtures('autovolt', 'activitylogs'))
    await db.collection('activity_logs').deleteMany({})
    const old = await contents(database, 'costversions', 'deviceconsumptionledgers', 'powersettings', 'activitylogs')

    await volt.migrations.migrate({ to: id })
    expect(await contents(database, ...Object.keys(old))).toEqual(old)
    const prices = await volt.tariffs.list()
    expect(prices.map(({ pricePerKwh }) => pricePerKwh)).toEqual([6, 8])
    const found = await contents(database, 'device_consumption_ledger', 'power_settings', 'activity_logs')
    expect(found.device_consumption_ledger).toEqual(old.deviceconsumptionledgers)
    expect(found.power_settings).toMatchObject([
      { name: 'default', currency: 'INR', electricityPrice: 7.5, version: 1 },
    ])
    expect(await volt.powerSettings.getSingleton()).toMatchObject({ electricityPrice: 7.5 })
    expect(found.activity_logs).toEqual([])
    const notes = await notesOf(volt, id)
    expect(notes).toContainEqual(
      expect.stringMatching(/^activitylogs: 0 of 190 documents were copied into activity_logs/),
    )
    expect(notes).toContainEqual(expect.stringMatching(/^costversions: 1 of 2 documents/))
    expect(notes).toContainEqual(expect.stringMatching(/^powersettings: 1 of 2 documents/))

    // One of the copies belongs to the service by now.
    const [first] = found.device_consumption_ledger ?? []
    await db
      .collection('device_consumption_ledger')
      .updateOne({ _id: first?._id as ObjectId }, { $set: { notes: 'looked at' } })
    await volt.migrations.rollback()
    expect(await contents(database, ...Object.keys(old))).toEqual(old)
    expect((await volt.tariffs.list()).map(({ pricePerKwh }) => pricePerKwh)).toEqual([6])
    const left = await contents(database, 'device_consumption_ledger', 'power_settings', 'migration_changes')
    expect(left.device_consumption_ledger?.map(({ notes }) => notes)).toEqual(['looked at'])
    expect([left.power_settings, left.migration_changes]).toEqual([[], []])
  })
})

describe('autovolt-3-earlier-versions', () => {
  const id = 'autovolt-3-earlier-versions'

  it('brings documents of earlier versions into form, so that setup() takes them, and back', async () => {
    const database = testDatabase()
    const { db } = database
    const volt = await voltBefore(database, id)
    const stamps = { createdAt: new Date(0), updatedAt: new Date(0), __v: 3 }
    const later = { type: 'esp32', protocol: 'mqtt', service: 'active', status: 'offline' }
    const lists = { capabilities: [], assignedUsers: [] }
    const own = { classroom: new ObjectId(), energyRole: 'storage', deletedAt: null }
    const device = { ...aDevice(), ...later, ...lists, ...own, ...stamps }
    const switches = [
      { _id: new ObjectId(), name: 'Air conditioner', gpio: 16, type: ' AC', powerRating: 1500, manualOverride: false },
      {
        _id: new ObjectId(),
        name: 'Meter',
        gpio: 17,
        type: 'meter',
        powerRating: 0,
        energySource: 'counter',
        manualOverride: false,
      },
    ]
    await db.collection('devices').drop()
    await db.collection('power_settings').drop()
    await insert(database, 'devices', [{ ...device, switches }])
    const kinds = [{ type: 'AC', name: 'Air conditioner', powerConsumption: 1.5, unit: 'KW' }]
    await insert(database, 'power_settings', [
      { name: 'default', electricityPrice: 7.12345678, currency: 'inr', deviceTypes: kinds, ...stamps },
    ])
    const old = await contents(database, 'devices', 'power_settings')

    await volt.migrations.migrate({ to: id })
    await volt.setup()
    const [settings] = await volt.powerSettings.find()
    expect(settings).toMatchObject({ electricityPrice: 7.123457, currency: 'INR', version: 1, __v: 4 })
    expect(settings?.deviceTypes).toEqual([{ type: 'ac', name: 'Air conditioner', powerConsumption: 1.5, unit: 'kW' }])
    const [found] = await volt.devices.find()
    expect(found?.switches).toMatchObject([
      { type: 'ac', energySource: 'rated' },
      { name: 'Meter', energySource: 'counter' },
    ])
    expect(await notesOf(volt, id)).toEqual([])

    await db.command({ collMod: 'devices', validator: {} })
    await db.command({ collMod: 'power_settings', validator: {} })
    await volt.migrations.rollback()
    const back = await contents(database, 'devices', 'power_settings')
    const stamped = { updatedAt: expect.any(Date), __v: 5 }
    expect(back.devices).toEqual([{ ...old.devices?.[0], ...stamped }])
    expect(back.power_settings).toEqual([{ ...old.power_settings?.[0], ...stamped }])
  })

  it('says which settings a person has to correct', async () => {
    const database = testDatabase()
    const volt = await voltBefore(database, id)
    await database.db.collection('power_settings').drop()
    await insert(database, 'power_settings', [{ name: 'default', electricityPrice: '7', currency: 'rupees' }])
    await volt.migrations.migrate({ to: id })
    expect(await notesOf(volt, id)).toEqual([expect.stringMatching(/^power_settings: [0-9a-f]{24} still do not fit/)])
  })
})

describe('autovolt-4-energy-roles', () => {
  const id = 'autovolt-4-energy-roles'

  it('gives each device one, also of the words of others, and takes back what it gave', async () => {
    const database = testDatabase()
    const volt = await voltBefore(database, id)
    await database.db.collection('devices').drop()
    const devices = [
      ...fixtures('maestro', 'devices'),
      ...fixtures('autovolt', 'devices'),
      { energyRole: 'production' },
    ]
    const unknown = { _id: new ObjectId(), energyRole: 'unheard of' }
    await insert(database, 'devices', [...devices, unknown])
    const old = await contents(database, 'devices')
    await volt.migrations.migrate({ to: id })
    const found = await database.db.collection('devices').find().toArray()
    expect(found).toHaveLength(devices.length + 1)
    const roles: Record<string, string> = { consumer: 'consumption', producer: 'production', bidirectional: 'storage' }
    for (const before of old.devices ?? []) {
      const after = found.find(({ _id }) => String(_id) === String(before._id))
      const expected = before.energyRole === 'monitor' ? 'consumption' : (roles[before.energyRole] ?? before.energyRole)
      expect(after?.energyRole).toBe(expected ?? 'consumption')
    }
    // The host decides about one of them in between.
    const [changed] = old.devices ?? []
    await database.db
      .collection('devices')
      .updateOne({ _id: changed?._id as ObjectId }, { $set: { energyRole: 'production' } })
    await volt.migrations.rollback()
    const back = await contents(database, 'devices')
    const rolesOf = (list: typeof back.devices) => list?.map(({ energyRole }) => energyRole)
    expect(rolesOf(back.devices)?.slice(1)).toEqual(rolesOf(old.devices)?.slice(1))
    expect(back.devices?.[0]?.energyRole).toBe('production')
    expect(back.devices?.filter(({ energyRole }) => energyRole === undefined)).toEqual(
      back.devices?.filter((one) => !('energyRole' in one)),
    )
  })
})

describe('autovolt-5-consumption-costs', () => {
  const id = 'autovolt-5-consumption-costs'

  it('prices consumption as of then, across a change of price too, and leaves what no price was in force for', async () => {
    const database = testDatabase()
    const volt = await voltBefore(database, id)
    await volt.setup()
    const room = await volt.classrooms.create(aClassroom({ name: 'Room 101', tariff: 'rooms' }))
    const set = (day: string, pricePerKwh: number) =>
      volt.tariffs.set({ tariff: 'rooms', startsAt: new Date(day), currency: 'INR', pricePerKwh })
    await set('2025-11-01T00:00:00Z', 7)
    await set('2025-11-06T10:00:00Z', 9)
    await database.db.collection('device_consumption_ledger').drop()
    const entry = (start: string, end: string, extra: object = {}) => ({
      _id: new ObjectId(),
      esp32_name: 'Relays',
      classroom: 'Room 101',
      start_ts: new Date(start),
      end_ts: new Date(end),
      delta_wh: 500,
      ...extra,
    })
    const entries = [
      entry('2025-11-05T10:00:00Z', '2025-11-05T12:00:00Z'),
      entry('2025-11-06T09:00:00Z', '2025-11-06T11:00:00Z', { classroom: room._id }),
      entry('2025-10-05T10:00:00Z', '2025-10-05T12:00:00Z'),
      entry('2025-11-05T10:00:00Z', '2025-11-05T12:00:00Z', { classroom: 'No such room' }),
      entry('2025-11-05T10:00:00Z', '2025-11-05T12:00:00Z', { cost_calculation: { cost_per_kwh: 5, cost_inr: 2.5 } }),
    ]
    await insert(database, 'device_consumption_ledger', entries)
    await insert(database, 'device_consumption_ledger', fixtures('autovolt', 'device_consumption_ledger'))
    const old = await contents(database, 'device_consumption_ledger')
    await volt.migrations.migrate({ to: id })
    const found = await database.db
      .collection('device_consumption_ledger')
      .find({ _id: { $in: entries.map(({ _id }) => _id) } })
      .sort({ _id: 1 })
      .toArray()
    expect(found.map(({ cost_calculation: cost }) => cost)).toMatchObject([
      { cost_per_kwh: 7, amount: 3.5, currency: 'INR', cost_version: expect.any(ObjectId) },
      { cost_per_kwh: 8, amount: 4, currency: 'INR' },
      // As it was.
      ...[undefined, undefined],
      { cost_per_kwh: 5, cost_inr: 2.5 },
    ])
    expect(await notesOf(volt, id)).toEqual([
      expect.stringMatching(/^2 entries of device_consumption_ledger stay without/),
    ])

    // Once the price of that time is known it is made good.
    await set('2025-10-01T00:00:00Z', 6)
    await volt.migrations.repair(id, 'not-applied')
    await volt.migrations.migrate({ to: id })
    const third = await database.db
      .collection('device_consumption_ledger')
      .findOne({ _id: entries[2]?._id as ObjectId })
    expect(third?.cost_calculation).toMatchObject({ cost_per_kwh: 6, amount: 3 })

    await volt.migrations.rollback()
    expect(await contents(database, 'device_consumption_ledger')).toEqual(old)
  })
})

describe('autovolt-6-case-priority', () => {
  it('gives cases without a priority medium, with an index, and takes both back', async () => {
    const database = testDatabase()
    const volt = await voltBefore(database, 'autovolt-6-case-priority')
    const cases = [
      ...fixtures('jupiter', 'cases'),
      { _id: 'urgent', priority: 'high' },
      { _id: 'null', priority: null },
    ]
    await insert(database, 'cases', cases)
    const old = await contents(database, 'cases')
    await volt.migrations.migrate({ to: 'autovolt-6-case-priority' })
    const found = await database.db.collection('cases').find().toArray()
    expect(found).toHaveLength(cases.length)
    expect(found.filter(({ priority }) => priority === 'medium')).toHaveLength(cases.length - 1)
    expect(await database.db.collection('cases').indexExists('priority_1')).toBe(true)
    await volt.migrations.rollback()
    expect(await contents(database, 'cases')).toEqual(old)
    expect(await database.db.collection('cases').indexExists('priority_1')).toBe(false)
  })
})

describe('autovolt-7-alert-severity', () => {
  it('renames the level, keeps both where both are there and says so, and renames it back', async () => {
    const database = testDatabase()
    const id = 'autovolt-7-alert-severity'
    const volt = await voltBefore(database, id)
    const alerts = fixtures('jupiter', 'alerts').map(({ severity, ...alert }) => ({ ...alert, level: severity }))
    await insert(database, 'alerts', [...alerts, { _id: 'both', level: 'low', severity: 'high' }])
    const old = await contents(database, 'alerts')
    await volt.migrations.migrate({ to: id })
    const found = await contents(database, 'alerts')
    const renamed = (old.alerts ?? []).map(({ level, severity = level, ...alert }) => ({ ...alert, severity }))
    expect(found.alerts?.map(({ level, ...alert }) => alert)).toEqual(renamed)
    expect(found.alerts?.filter((one) => 'level' in one)).toHaveLength(1)
    expect(await notesOf(volt, id)).toEqual([expect.stringMatching(/^1 alerts have a level and a severity/)])
    await volt.migrations.rollback()
    expect(await contents(database, 'alerts')).toEqual(old)
  })
})

describe('autovolt-9-user-settings', () => {
  const id = 'autovolt-9-user-settings'

  it('moves what users chose into their preferences, keeps what it does not know, and moves it back', async () => {
    const database = testDatabase()
    const { db } = database
    const volt = await voltBefore(database, id)
    const stamps = { createdAt: new Date(0), updatedAt: new Date(0), __v: 0 }
    const user = { name: 'Asha', userType: 'consumer', status: 'active', deletedAt: null, ...stamps }
    const own = { _id: new ObjectId(), ...user, email: 'own@example.org', settings: { theme: 'dark' } }
    const two = {
      _id: new ObjectId(),
      ...user,
      email: 'two@example.org',
      preferences: {
        theme: 'dark',
        language: 'de',
        notifications: true,
        renewable_only: true,
        max_trade_distance: 50,
        price_alerts: true,
        max_price_per_kwh: 0.2,
        'odd.key': 1,
      },
      settings: { theme: 'light', timezone: 'no zone', energy: { currency: 'euro' } },
    }
    const plain = { _id: new ObjectId(), ...user, email: 'plain@example.org' }
    await volt.setup()
    await db.command({ collMod: 'users', validator: {} })
    const origins = [...fixtures('maestro', 'users'), ...fixtures('autovolt', 'users')]
    await db.collection('users').drop()
    await insert(database, 'users', [...origins, own, two, plain])
    // Somebody has preferences already.
    await volt.userPreferences.forUser(own._id)
    const old = await contents(database, 'users', 'user_preferences')

    await volt.migrations.migrate({ to: id })
    const found = await contents(database, 'users', 'user_preferences')
    const preferencesOf = (user: unknown) => found.user_preferences?.find((one) => String(one.user) === String(user))
    const userOf = (user: unknown) => found.users?.find(({ _id }) => String(_id) === String(user))
    expect(found.users).toHaveLength(origins.length + 3)
    expect(preferencesOf(two._id)).toMatchObject({
      theme: 'dark',
      language: 'de',
      notifications: { email: true, push: true },
      energy: { renewableOnly: true, maxTradeDistanceKm: 50, priceAlerts: true, maxPricePerKwh: 0.2 },
      other: { odd_key: 1, theme: 'light', timezone: 'no zone', energy: { currency: 'euro' } },
    })
    expect(userOf(two._id)).toEqual(
      Object.fromEntries(
        Object.entries({ ...two, updatedAt: expect.any(Date), __v: 1 }).filter(
          ([name]) => name !== 'preferences' && name !== 'settings',
        ),
      ),
    )
    expect(preferencesOf(plain._id)).toBeUndefined()
    expect(userOf(own._id)).toEqual(own)
    const security = preferencesOf('68ce34d0000001b100000004')
    expect(security).toMatchObject({ notifications: { email: true, push: true, telegram: true } })
    expect(security?.other).toEqual({ notificationPreferences: { securityAlerts: true } })
    const maestro = preferencesOf('68a58080000050b100000001')
    expect(maestro).toMatchObject({
      theme: 'auto',
      notifications: { email: true, push: true },
      energy: { currency: 'EUR' },
      privacy: { showsEnergy: false, allowsAnalytics: true },
      other: { quietHours: { enabled: false, startTime: '22:00', endTime: '07:00' }, smsNotifications: false },
    })
    expect(await notesOf(volt, id)).toEqual([expect.stringMatching(/^\d+ users keep their settings/)])

    await volt.userPreferences.changeForUser(two._id, { theme: 'auto' })
    await volt.migrations.rollback()
    const back = await contents(database, 'users', 'user_preferences')
    const unstamped = (list: typeof back.users) => list?.map(({ updatedAt, __v, ...rest }) => rest)
    expect(unstamped(back.users)).toEqual(unstamped(old.users))
    // What somebody has changed since then stays.
    expect(back.user_preferences?.map(({ user }) => String(user)).toSorted()).toEqual(
      [String(own._id), String(two._id)].toSorted(),
    )
  })
})

describe('autovolt-10-default-preferences', () => {
  const id = 'autovolt-10-default-preferences'

  it('gives every user preferences without a choice, and takes back those that nobody has changed', async () => {
    const database = testDatabase()
    const volt = await voltBefore(database, id)
    await volt.setup()
    const users = []
    for (const name of ['Asha', 'Ravi', 'Meera', 'Left'])
      users.push(await volt.users.createUser(`${name}@example.org`, name))
    const [asha, ravi, meera, left] = users.map(({ _id }) => _id)
    if (asha === undefined || ravi === undefined || meera === undefined || left === undefined)
      throw new Error('no users')
    await volt.users.delete(left)
    await volt.userPreferences.changeForUser(asha, { theme: 'dark' })
    await volt.migrations.migrate({ to: id })
    const owners = async () => (await volt.userPreferences.find()).map(({ user }) => String(user)).toSorted()
    expect(await owners()).toEqual([asha, ravi, meera].map(String).toSorted())
    expect(await volt.userPreferences.forUser(asha)).toMatchObject({ theme: 'dark' })
    expect(await volt.userPreferences.forUser(ravi)).toMatchObject({ theme: 'light', __v: 0 })
    await volt.userPreferences.changeForUser(meera, { language: 'hi' })
    await volt.migrations.rollback()
    expect(await owners()).toEqual([asha, meera].map(String).toSorted())
  })
})

describe('autovolt-11-device-model', () => {
  const id = 'autovolt-11-device-model'

  it('brings devices from before there were types into form, so that setup() takes them, and back', async () => {
    const database = testDatabase()
    const { db } = database
    const volt = await voltBefore(database, id)
    await db.collection('devices').drop()
    const stamps = { createdAt: new Date(0), updatedAt: new Date(0), __v: 3, deletedAt: null }
    const one = (gpio: number, name: string) => ({
      _id: new ObjectId(),
      name,
      gpio,
      powerRating: 60,
      energySource: 'rated',
    })
    const device = (name: string, switches: object[], more: object = {}) => {
      const { macAddress } = aDevice()
      return { name, macAddress, classroom: new ObjectId(), energyRole: 'consumption', switches, ...stamps, ...more }
    }
    await insert(database, 'devices', [
      device(' Relay box ', [one(16, 'Light '), one(17, 'Light'), { ...one(18, 'Fan'), type: 'fan', state: true }]),
      device('Channels', [one(1, 'First'), one(2, 'Second')], { status: 'online' }),
    ])
    const old = await contents(database, 'devices')
    await volt.migrations.migrate()
    await volt.setup()
    const [box, channels] = await volt.devices.find({}, { sort: { _id: 1 } })
    expect(box).toMatchObject({
      name: 'Relay box',
      type: 'esp32',
      protocol: 'mqtt',
      service: 'active',
      status: 'offline',
    })
    expect(box?.switches).toMatchObject([
      { name: 'Light', type: 'light', manualOverride: false },
      { name: 'Light (17)', type: 'light' },
      { name: 'Fan', type: 'fan', state: true },
    ])
    expect(channels).toMatchObject({ type: 'other', status: 'online', capabilities: [], assignedUsers: [] })
    await db.command({ collMod: 'devices', validator: {} })
    await volt.migrations.rollback()
    const stamped = { updatedAt: expect.any(Date), __v: 5 }
    expect((await contents(database, 'devices')).devices).toEqual(
      old.devices?.map((before) => ({ ...before, ...stamped })),
    )
  })
})
