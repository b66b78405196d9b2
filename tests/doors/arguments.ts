import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { folderStorage } from '../../src/backup/storage/folder-storage.js'
import { objectId } from '../../src/core/fields.js'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import type { PublicFunction } from './public-functions.js'

const id = '65f000000000000000000001'
const days = { from: '2026-03-01', to: '2026-03-02', classrooms: [id], devices: [id] }
const months = { from: '2026-03', to: '2026-04', classrooms: [id], devices: [id] }
const instants = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' }
const range = { device: id, ...instants, order: 'newest' }
const options = { select: ['_id'], withDeleted: false }
const { verifierKey } = generateLogKeys('example.org/log')
const locked = { waitMs: 0, signal: undefined, onEvent: undefined }

const schedule = {
  name: 'a',
  target: { kind: 'device', id },
  rule: { type: 'time', at: '08:00' },
  action: { command: 'turn_on' },
}

const marketTime = { from: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z' }
const marketOrder = {
  area: id,
  user: id,
  side: 'buy',
  energyKwh: '1',
  pricePerKwh: '1',
  availableFrom: '2026-03-02T12:00:00Z',
  availableUntil: '2026-03-02T13:00:00Z',
  location: { type: 'Point', coordinates: [0, 0] },
  maximumDistanceKm: 1,
  requirements: [{ renewable: true, storage: true, producer: id }],
  key: 'a',
}

/** What every reader and repository has, by the last part of the name. */
const ofRepositories: Readonly<Record<string, readonly unknown[]>> = {
  get: [id, options],
  findOne: [{ _id: id }, { ...options, sort: { _id: 1 } }],
  find: [{ _id: id }, { ...options, sort: { _id: 1 }, limit: 1 }],
  findDocuments: [{ _id: id }, { withDeleted: false, sort: { _id: 1 }, limit: 1 }],
  page: [{ _id: id }, { ...options, sort: { _id: 1 }, page: 1, limit: 1 }],
  after: [{ _id: id }, { ...options, sort: { _id: 1 }, limit: 1, cursor: null }],
  stream: [{ _id: id }, { ...options, sort: { _id: 1 }, batchSize: 10 }],
  count: [{ _id: id }, { withDeleted: false }],
  exists: [{ _id: id }, { withDeleted: false }],
  watch: [{ _id: id }, { resumeAfter: { _data: '8265F0000000000000' }, signal: undefined }],
  create: [{ name: 'a' }],
  createMany: [[{ name: 'a' }]],
  update: [id, { name: 'a' }, { version: 0 }],
  upsert: [{ name: 'a' }, { name: 'a' }],
  delete: [id, { version: 0 }],
  restore: [id],
  bulk: [[{ update: id, changes: { name: 'a' }, version: 0 }]],
  getDocument: [id],
  revealSecret: [id, 'secret'],
}

/** Arguments that fit, by the function's name, so that each can be spoilt alone. */
const byName: Readonly<Record<string, readonly unknown[]>> = {
  'root.AutoVolt.attach': [{}, {}],
  'root.AutoVolt.open': [
    { uri: 'mongodb://', dbName: 'a', keys: { active: 'a', keys: { a: 'b' } }, collections: { users: 'u' } },
  ],
  'root.defineEntity': [{ name: 'a', collection: 'as', fields: { b: z.string() }, indexes: [], managed: [] }],
  'root.defineAppendOnlyEntity': [{ name: 'a', collection: 'as', fields: { b: z.string() } }],
  'root.quantity': [0, 1],
  'root.change.inc': [1],
  'root.change.mul': [1],
  'root.change.min': [1],
  'root.change.max': [1],
  'root.change.push': [1],
  'root.change.addToSet': [1],
  'root.change.pull': [1],
  'root.where.ne': [1],
  'root.where.gt': [1],
  'root.where.gte': [1],
  'root.where.lt': [1],
  'root.where.lte': [1],
  'root.where.between': [1, 2],
  'root.where.in': [[1]],
  'root.where.nin': [[1]],
  'root.where.exists': [true],
  'root.where.matches': [/a/],
  'root.where.startsWith': ['a'],
  'root.where.and': [{ a: 1 }],
  'root.where.or': [{ a: 1 }],
  'root.where.nor': [{ a: 1 }],
  'root.validateData': [objectId(), id, 'The id'],
  'root.normalizeMacAddress': ['aabbccddeeff'],
  'analytics.activeDaysPipeline': [days],
  'analytics.consumersPipeline': [days, 'classroom'],
  'analytics.dailyByClassroomPipeline': [days],
  'analytics.dailySummaryPipeline': [days],
  'analytics.daysStages': [days],
  'analytics.switchConsumersPipeline': [days],
  'analytics.dayHoursPipeline': [days],
  'analytics.deviceEfficiencyOfDaysPipeline': [days, { skip: 0, limit: 1 }],
  'analytics.deviceEfficiencyPipeline': [
    { month: '2026-03', classrooms: [id] },
    { skip: 0, limit: 1 },
  ],
  'analytics.monthlySumsPipeline': [months],
  'analytics.monthlyTrendPipeline': [months],
  'analytics.monthsStages': [months],
  'analytics.peakHoursPipeline': [{ month: '2026-03', classrooms: [id] }],
  'analytics.dailyStages.between': ['date_string', '2026-03-01', '2026-03-02'],
  'analytics.dailyStages.among': ['device_id', [new ObjectId()]],
  'analytics.dailyStages.sumBy': [{ day: 'date_string' }, { energy: 'energy_mws' }, {}],
  'analytics.monthlyStages.between': ['month', '2026-03', '2026-04'],
  'analytics.monthlyStages.among': ['device_id', [new ObjectId()]],
  'analytics.monthlyStages.sumBy': [{ month: 'month' }, { energy: 'energy_mws' }, {}],
  'ledger.generateHash': [{ sequence: 1, metadata: { source: 'mqtt' }, flags: [] }],
  'root.fileAnchor': ['/dev/null/anchors', 'name'],
  'ledger.verifyConsistency': [{ kind: 'consistency', from: '', to: '', hashes: [''] }, [verifierKey]],
  'ledger.verifyInclusion': [
    { kind: 'inclusion', entry: '', checkpoint: '', leafIndex: 0, hashes: [''] },
    [verifierKey],
  ],
  'ledger.generateLogKeys': ['example.org/log'],
  'root.witnessAnchor': [{ url: 'http://localhost', verifierKey, timeoutMs: 1 }],
  'backup.importDump': [{ from: '/dev/null/none', storage: folderStorage('/dev/null/none'), database: 'a' }],
  'backup.verifyStoredBackup': [
    {
      storage: folderStorage('/dev/null/none'),
      backup: 'latest',
      keys: { active: 'a', keys: { a: 'b' } },
      verifierKeys: [verifierKey],
    },
  ],
  'backup.resealBackupKeys': [
    {
      storage: folderStorage('/dev/null/none'),
      keys: { active: 'a', keys: { a: Buffer.alloc(32).toString('base64') } },
    },
  ],
  'backup.folderStorage': ['/dev/null/none'],
  'backup.s3Storage': [{ bucket: 'a', prefix: 'b' }],
  'ledger.verifyExport': [[async function* () {}], { verifierKeys: [verifierKey], knownCheckpoint: '' }],
  'migrations.runMigrationCommand': [{}, 'status', [''], {}],
  'migrations.defineMigration': [{}],
  'mqtt.deployedDecoder': [{ prefix: 'esp32', statusTopics: [] }],
  'mqtt.startIngestion': [{}, { url: 'mqtt://localhost:1', connectTimeoutMs: 1, decoders: [], quarantine: {} }],
  'mqtt.connectTransport': [{}, { url: 'mqtt://localhost:1', connectTimeoutMs: 1 }],
  'mqtt.meteredDecoder': [[{ topic: 'a', device: { macAddress: 'aabbccddeeff' }, gpio: 1 }]],
  'mqtt.v2Decoder': [{ prefix: 'autovolt', authentication: 'broker' }],
  'prometheus.registerMetrics': [{ operations: {} }, { client: {}, registry: {}, ingestions: { main: {} } }],
  'opentelemetry.traceCalls': [{ operations: {} }, { startSpan: () => undefined }],
  'opentelemetry.reportMetrics': [{ operations: {} }, {}, { ingestions: { main: {} } }],
  'volt.setup': [{ dryRun: true }],
  'volt.transaction': [() => Promise.resolve()],
  'volt.repository': [{}],
  'volt.entityOf': ['users'],
  'volt.start': [{ rollUps: false, registers: { everyMs: 86_400_000 }, checkpoints: false }],
  'volt.on': ['connected', () => undefined],
  'volt.devices.findByMacAddress': ['aabbccddeeff'],
  'volt.devices.revealDeviceSecret': [id],
  'volt.devices.findBySwitch': [id],
  'volt.devices.findByClassroom': [id, { limit: 1 }],
  'volt.devices.searchDevices': [
    { words: 'a', owner: id },
    { page: 1, limit: 1 },
  ],
  'volt.devices.isOnline': [{ status: 'online' }, 1],
  'volt.devices.getActiveSwitches': [{ switches: [] }],
  'volt.devices.getTotalPowerConsumption': [{ switches: [] }],
  'volt.devices.registerDevice': [id, { name: 'a' }],
  'volt.devices.setSwitchState': [id, id, true, '2026-03-01T00:00:00Z'],
  'volt.devices.startSilenceSweep': [{ everyMs: 60_000, silentMs: 60_000 }],
  'volt.commands.enqueue': [id, 'turn_on', { power: true }, { priority: 'low' }],
  'volt.commands.enqueueMany': [[{ device: id, command: 'turn_on' }]],
  'volt.commands.executeCommand': [id, 'turn_on', { power: true }, { timeoutMs: 1 }],
  'volt.commands.cancel': [id],
  'volt.commands.switchClassroom': [id, true, { priority: 'low' }],
  'volt.commands.reportOf': ['a'],
  'volt.commands.statistics': [{ device: id, command: 'turn_on', ...instants }],
  'volt.commands.start': [{ transports: [{}] }],
  'volt.ledger.append': [[{ switchId: id, metadata: { source: 'mqtt' }, reading: { powerW: 1 } }]],
  'volt.ledger.personalDataOf': [id],
  'volt.ledger.erasePersonalData': [id],
  'volt.ledger.export': [{ personalData: false }],
  'volt.ledger.archive': [{ file: '/dev/null/none', throughSize: 1 }],
  'volt.ledger.startCheckpoints': [60_000],
  'volt.ledger.proveInclusion': [id, { archiveFiles: ['/dev/null/none'] }],
  'volt.ledger.proveConsistency': [1, 2],
  'volt.ledger.verify': [
    {
      knownCheckpoint: '',
      onlySince: false,
      switchIds: [id],
      deviceId: id,
      classroom: id,
      onProgress: undefined,
      signal: undefined,
    },
  ],
  'volt.ledger.verifyChainIntegrity': [id, id, { knownCheckpoint: '' }],
  'volt.powerSettings.getSingleton': [{ electricityPrice: -1, currency: 'INR' }],
  'volt.tariffs.set': [
    { tariff: 'a', startsAt: '2026-03-01T00:00:00Z', currency: 'INR', pricePerKwh: 0.0000001 },
    { actor: 'a', version: 0 },
  ],
  'volt.tariffs.remove': [id, { actor: 'a', version: 0 }],
  'volt.tariffs.list': ['default'],
  'volt.tariffs.inForce': ['default', new Date(0)],
  'volt.tariffs.priceAt': ['default', new Date(0), 'UTC'],
  'volt.measurements.insert': [[{ timestamp: 'never', meta: { device: id }, power: 1 }], { implausible: 'flag' }],
  'volt.measurements.page': [range, { limit: 1, cursor: null }],
  'volt.measurements.stream': [range],
  'volt.measurements.markValidated': [[{ meta: { device: id }, timestamp: 'never' }], { validated: true, by: id }],
  'volt.telemetry.insert': [[{ timestamp: 'never', meta: { device: id }, type: 'sensor', value: 1 }]],
  'volt.telemetry.page': [range, { limit: 1, cursor: null }],
  'volt.telemetry.stream': [range],
  'volt.registers.start': [{ everyMs: 60_000 }],
  'volt.intervals.derive': [{ ...instants, deviceId: id }],
  'volt.intervals.addManual': [
    { device_id: id, switch_id: id, start_ts: instants.from, end_ts: instants.to, delta_wh: -1 },
  ],
  'volt.intervals.removeManual': [id],
  'volt.intervals.getConsumptionHistory': [id, 1, 1],
  'volt.energy.dailyByClassroom': [days],
  'volt.energy.dailyBySwitch': [days],
  'volt.analyticsCache.getOrCompute': [
    'peak_hours',
    { a: 1 },
    () => 1,
    { ttlMs: 1, dependsOn: { fromDay: 'x', classrooms: [id] } },
  ],
  'volt.analyticsCache.getCachedData': ['peak_hours', { a: 1 }],
  'volt.analyticsCache.setCachedData': ['peak_hours', { a: 1 }, { b: 1 }, { ttlMs: 0, computationTimeMs: 1 }],
  'volt.analyticsCache.invalidate': [{ fromDay: '2026-03-01', toDay: '2026-03-02', classrooms: [id], devices: [id] }],
  'volt.rollUps.start': [{ everyMs: 60_000 }],
  'volt.rollUps.rebuild': [days],
  'volt.rollUps.verify': [days],
  'volt.analytics.dailyByClassroom': [days],
  'volt.analytics.dailySummaries': [days],
  'volt.analytics.monthlyTrends': [months],
  'volt.analytics.peakHours': [days],
  'volt.analytics.deviceEfficiency': [days],
  'volt.analytics.deviceEfficiencyPage': [{ ...days, page: 1, limit: 1 }],
  'volt.analytics.devicePerformance': [{ device: id, days: 1 }],
  'volt.analytics.energyBalance': [{ user: id, days: 1 }],
  'volt.analytics.userEnergySummaries': [{ page: 1, limit: 1 }],
  'volt.analytics.costs': [{ ...days, by: 'day', tariff: 'a' }],
  'volt.analytics.compareWithPrevious': [days],
  'volt.analytics.topConsumers': [{ ...days, by: 'device' }],
  'volt.analytics.loadCurve': [{ ...instants, step: '1h', devices: [id] }],
  'volt.analytics.idleUse': [days],
  'volt.analytics.anomalies': [days],
  'volt.analytics.forecast': [{ days: 1 }],
  'volt.analytics.lineProtocol': [days],
  'volt.migrations.migrate': [{ ...locked, to: 'none' }],
  'volt.migrations.ensure': [locked],
  'volt.migrations.rollback': [{ ...locked, to: 'none' }],
  'volt.migrations.planRollback': [{ ...locked, to: 'none' }],
  'volt.migrations.plan': [{ to: 'none' }],
  'volt.migrations.repair': ['none', 'applied', locked],
  'volt.migrations.baseline': ['none', locked],
  'volt.migrations.create': ['/dev/null/none', 'a', 'ts'],
  'volt.migrations.history': [1],
  'root.userEntityWithRoles': [['member']],
  'root.checkWalletAddress': ['0x52908400098527886E0F7030069857D2E4169EE7'],
  'volt.users.findByEmail': ['a@example.org'],
  'volt.users.findActive': [{ withDeleted: false, sort: { _id: 1 }, limit: 1 }],
  'volt.users.createUser': ['a@example.org', 'Anna', { provider: 'google', providerId: '1', accessToken: 'a' }],
  'volt.users.findByAuth': ['google', '1'],
  'volt.users.addAuthProvider': [id, { provider: 'google', providerId: '1', refreshToken: 'a' }, { session: id }],
  'volt.users.removeAuthProvider': [id, 'google', { session: id }],
  'volt.users.revealProviderToken': [id, 'google', 'accessToken'],
  'volt.signIn.withProvider': [
    { provider: 'google', providerId: '1', email: 'a@example.org', emailVerified: true, name: 'Anna' },
    { ip: '192.0.2.1' },
  ],
  'volt.users.pageAround': [{ latitude: 1, longitude: 2 }, 3, { page: 1, limit: 1 }],
  'volt.users.updateStats': [id, { trades: 1 }],
  'volt.users.comparePassword': [id, 'a password'],
  'volt.users.setPasswordHash': [id, 'a hash'],
  'volt.users.fullName': [{ name: 'Anna', firstName: 'Anna', lastName: 'Rao' }],
  'volt.users.toSafeObject': [{ name: 'Anna' }],
  'volt.signIn.withPassword': ['a@example.org', 'a password', { ip: '192.0.2.1', userAgent: 'a', fingerprint: 'b' }],
  'volt.sessions.find': ['a token'],
  'volt.sessions.refresh': ['a token'],
  'volt.sessions.end': ['a token'],
  'volt.sessions.list': [id],
  'volt.sessions.revoke': [id, id],
  'volt.sessions.revokeAll': [id],
  'volt.sessions.revokeOthers': [id, id],
  'volt.sessions.isRevoked': [id],
  'volt.notifications.send': [{ user: id, kind: 'a', title: 'A', data: { a: 1 }, about: { entity: 'device', id } }],
  'volt.notifications.post': [{ user: id, kind: 'a', title: 'A' }],
  'volt.notifications.markRead': [id, [id]],
  'volt.notifications.markAllRead': [id],
  'volt.notifications.unreadCount': [id],
  'volt.notifications.subscribe': [id, () => undefined],
  'volt.notifications.deliveriesOf': [id, id],
  'volt.notifications.start': [{ everyMs: 60_000 }],
  'volt.activities.log': [{ action: 'renamed', entity: 'a', entityId: id, source: 'web', before: { a: 1 } }],
  'volt.deviceLogs.log': [{ device: id, kind: 'rebooted', details: { a: 1 }, key: 'a' }],
  'volt.schedules.create': [schedule],
  'volt.schedules.createMany': [[schedule]],
  'volt.schedules.next': [id, 3],
  'volt.schedules.preview': [schedule, 3],
  'volt.schedules.switchTimes': [id],
  'volt.schedules.setSwitchTimes': [id, { enabled: true, onTime: '08:00', daysOfWeek: [1] }],
  'volt.schedules.start': [{ everyMs: 60_000 }],
  'volt.cases.open': [{ title: 'a', severity: 'low', assignee: null, tags: ['a'], watchers: [id] }],
  'volt.cases.move': [id, 'resolved', { by: id, version: 0, resolution: 'a' }],
  'volt.cases.change': [id, { title: 'b', metadata: { a: 1 } }, { by: id, version: 0 }],
  'volt.cases.comment': [id, { author: id, text: 'a' }],
  'volt.cases.addWatcher': [id, id],
  'volt.cases.removeWatcher': [id, id],
  'volt.cases.search': [{ words: 'a', status: 'open', limit: 1 }],
  'volt.cases.originTimes': [{ createdAt: new Date(0), updatedAt: new Date(0), resolvedAt: new Date(0) }],
  'volt.alerts.raise': [{ key: 'a', type: 'a', source: 'a', severity: 'low', message: 'a', timestamp: instants.from }],
  'volt.alerts.trends': [{ days: 1, timeZone: 'UTC', classroom: id }],
  'volt.alertRules.create': [{ name: 'a', kind: 'over_voltage', severity: 'low', raiseAt: 1, times: [] }],
  'volt.alertRules.createMany': [[{ name: 'a', kind: 'over_voltage', severity: 'low', raiseAt: 1 }]],
  'volt.incidents.run': [{ windowMs: 0, minimumSeverity: 'low' }],
  'volt.incidents.start': [{ everyMs: 60_000, windowMs: 0, minimumSeverity: 'low' }],
  'volt.alertRules.run': [{ lateMs: 0 }],
  'volt.alertRules.start': [{ everyMs: 60_000, lateMs: 0 }],
  'volt.alerts.clear': [{ key: 'b', at: instants.from, resolution: 'a' }],
  'volt.alerts.resolve': [id, { by: id, resolution: 'a' }],
  'volt.alerts.acknowledge': [id, { by: id }],
  'volt.alerts.silence': [id, instants.to, { by: id }],
  'volt.alerts.assignToCase': [id, id],
  'volt.firmware.upload': [{ version: '1.0.0', board: 'esp32dev', sha256: '0'.repeat(64) }, async function* () {}],
  'volt.firmware.remove': [id],
  'volt.firmware.rollOut': [{ firmware: id, stages: [10, 100], allowed: [id], perMinute: 10 }],
  'volt.firmware.pause': [id],
  'volt.firmware.resume': [id],
  'volt.firmware.cancel': [id],
  'volt.firmware.progress': [id],
  'volt.firmware.reportFailure': [id, id, 'the digest is another'],
  'volt.firmware.step': [{ offer: () => Promise.resolve(), baseUrl: 'https://localhost/firmware' }],
  'volt.firmware.start': [{ offer: () => Promise.resolve(), baseUrl: 'https://localhost/firmware', everyMs: 60_000 }],
  'volt.market.place': [marketOrder],
  'volt.market.placeMany': [[marketOrder]],
  'volt.market.cancel': [id, id],
  'volt.market.tradesOf': [id],
  'volt.market.transfer': [{ area: id, type: 'token_transfer', from: id, amount: '1', key: 'a' }],
  'volt.market.noteOnChain': [id, { chainHash: `0x${'ab'.repeat(32)}`, blockNumber: 1, confirmations: 1, gasFee: '1' }],
  'volt.market.start': [{ everyMs: 60_000 }],
  'volt.market.startSettlement': [{ everyMs: 60_000, lateDays: 1 }],
  'volt.market.resettle': [id, new Date(0), new Date(1)],
  'volt.market.setCreditLimit': [{ area: id, user: id, creditLimit: '1' }],
  'volt.market.verify': [id],
  'volt.market.localOrders': [
    { area: id, side: 'sell', location: { type: 'Point', coordinates: [0, 0] }, radiusKm: 1, limit: 1 },
  ],
  'volt.market.orderBook': [{ area: id, depth: 1 }],
  'volt.market.priceStatistics': [{ area: id, ...marketTime, step: 'day' }],
  'volt.market.balances': [id],
  'volt.market.report': [{ user: id, ...marketTime, gridCo2KgPerKwh: '0.5' }],
  'volt.market.taxExport': [{ user: id, ...marketTime }],
  'root.firmwareSignedText': [{ board: 'esp32dev', version: '1.0.0', bytes: 1, sha256: '0'.repeat(64) }],
  'mqtt.offerFirmwareBy': [{}, {}, { prefix: 'autovolt' }],
  'volt.auditLog.withActor': [{ actor: 'a', ip: '192.0.2.1', userAgent: 'a' }, () => Promise.resolve()],
  'root.accessTableText': [[{ role: 'student', entity: 'devices', action: 'read', scopes: ['own'] }]],
  'volt.as': [id],
  'volt.userPreferences.forUser': [id],
  'volt.userPreferences.changeForUser': [id, { theme: 'dark' }, { version: 0 }],
  'volt.userPreferences.shortForUser': [id],
  'volt.userPreferences.channelsAt': [{ timeZone: 'UTC', notifications: { email: true } }, new Date(0)],
  'volt.signIn.requestPasswordReset': ['a@example.org'],
  'volt.signIn.resetPassword': ['a token', 'a password'],
  'volt.signIn.changePassword': [id, 'a password', 'another password', { session: id, client: { ip: '192.0.2.1' } }],
  'volt.signIn.requestEmailVerification': ['a@example.org'],
  'volt.signIn.verifyEmail': ['a token'],
  'volt.migrations.followAdoption': [{ from: 'none', timeZone: 'UTC', currency: 'INR', signal: undefined }],
  'volt.migrations.removeAdoption': ['none'],
  'volt.migrations.assessAdoption': [{ from: 'none', timeZone: 'UTC', currency: 'INR' }],
  'volt.migrations.adopt': [{ from: 'none', timeZone: 'UTC', currency: 'INR' }],
  'volt.migrations.seed': [{ ...locked, intoExisting: false }],
  'volt.operations.slowQueries': [{ overMs: 100, forMs: 1, limit: 1 }],
  'volt.operations.recordedQueries': [{ limit: 1 }],
  'volt.operations.running': [{ longerThanMs: 1e9 }],
  'volt.operations.kill': [-1],
  'volt.operations.indexAdvice': [{ minimumDays: 7 }],
  'volt.operations.hideIndex': ['none', 'a_1'],
  'volt.operations.unhideIndex': ['none', 'a_1'],
  'volt.operations.dropIndex': ['none', 'a_1'],
  'volt.operations.validate': ['none', { full: false }],
  'volt.operations.compact': ['none', { force: false }],
  'volt.operations.observeCalls': [() => () => undefined],
  'volt.operations.roles.createUser': ['a b', 'application'],
  'volt.operations.roles.createCertificateUser': ['a', 'application'],
  'volt.retention.run': [
    [{ name: 'a', collection: 'none', field: 'at', olderThanDays: 1, filter: { a: 1 }, archiveTo: 'b' }],
    { dryRun: true, signal: undefined },
  ],
  'volt.retention.start': [[{ name: 'a', collection: 'none', field: 'at', olderThanDays: 1 }], { everyMs: 60_000 }],
  'volt.retention.bringBack': [{ from: 'none', collection: 'other', filter: { a: 1 } }],
  'volt.operations.cleanOrphans': [
    { collection: 'none', field: 'a', to: 'none' },
    { action: 'unset', dryRun: true },
  ],
  'volt.privacy.accesses': [id, { from: new Date(0), to: new Date(1), limit: 10 }],
  'volt.privacy.export': [id],
  'volt.privacy.exportHtml': [id],
  'volt.privacy.erase': [id, { reason: 'a request', signal: undefined }],
  'volt.privacy.resume': [{ signal: undefined }],
  'volt.privacy.repeat': [[{ subject: 'a'.repeat(64), requestedAt: new Date(0) }]],
  'volt.privacy.hold': [id, { reason: 'a dispute', until: new Date(0) }],
  'volt.privacy.pseudonymous': [
    {
      collection: 'devices',
      person: 'owner',
      by: ['type'],
      dates: { createdAt: 'month' },
      sums: ['floor'],
      k: 5,
      key: Buffer.alloc(32),
    },
  ],
  'volt.privacy.release': [id],
  'volt.privacy.holds': [id],
  'volt.operations.orphans': [[{ collection: 'none', field: 'a', to: 'none' }]],
  'volt.backup.create': [
    { storage: folderStorage('/dev/null/none'), collections: ['a'], compression: 'gzip', encrypt: false },
  ],
  'volt.backup.stream': [{ collections: ['a'], compression: 'gzip' }],
  'volt.backup.slice': [{ storage: folderStorage('/dev/null/none'), encrypt: false }],
  'volt.backup.reachable': [folderStorage('/dev/null/none')],
  'volt.backup.list': [folderStorage('/dev/null/none')],
  'volt.backup.verify': [{ storage: folderStorage('/dev/null/none'), backup: 'latest' }],
  'volt.backup.restore': [{ storage: folderStorage('/dev/null/none'), backup: 'latest', target: { into: 'a' } }],
  'volt.backup.prune': [{ storage: folderStorage('/dev/null/none'), keep: { last: 1 }, dryRun: true }],
  'volt.backup.start': [{ storage: folderStorage('/dev/null/none'), every: '24h', keep: false }],
  'volt.backup.restoreDrill': [{ storage: folderStorage('/dev/null/none'), backup: 'latest' }],
}

/** What writes files does so in a place where none can be. */
const nowhere = '/dev/null'
const writers: Readonly<Record<string, (args: readonly unknown[]) => unknown[]>> = {
  'volt.migrations.create': ([folder, ...rest]) => [inNowhere(folder), ...rest],
  'volt.ledger.archive': ([options, ...rest]) => {
    if (typeof options !== 'object' || options === null || !('file' in options)) return [options, ...rest]
    return [{ ...options, file: inNowhere(options.file) }, ...rest]
  },
}

function inNowhere(path: unknown): unknown {
  return typeof path === 'string' ? `${nowhere}/${path}` : path
}

/** Calls the function; files that it is told to write do not come about. */
export function callSafely({ name, call }: PublicFunction, args: readonly unknown[]): unknown {
  return call(...(writers[name]?.(args) ?? args))
}

/** Functions without arguments. */
const withoutArguments =
  /\.(now|instant|binary|objectId|macAddress|timeZone|unset|health|toJSON|close|checkpoint|archivedSize|anchorStatus|livePower|cleanExpired|recost|status|validate|unlock|resealSecrets|model|getStatistics|accessTable|completeUntil|compareLegacyConsumption|deliver|posted|logged|sweepUploads|handler)$|^volt\.((registers|rollUps)\.update|schedules\.run|market\.(run|settle)|operations\.(doctor|server|replicaSet|sizes|measureCalls|calls|resetCalls|indexUse|figures|roles\.(definitions|compare|create))|retention\.runs|privacy\.erased|(cases|alerts)\.(statistics|openBySeverity|openByAssignee))$/

/** Loggers take anything; constructors of errors and repositories are for code that extends them; those of /testing start servers. */
const forCode = /^new |silentLogger\.|^testing\./

/** What is private or protected, and what is marked as internal: TypeScript lets no host call it. */
const notForHosts = new RegExp(
  [
    /\.(pageOfQuery|read|shown|shownAll|query|alive|isHidden|afterLastOperation|readOptions|listOptions|pageSort)$/,
    /\.(upsertAtOnce|updateFound|changing|revealSecretNamed|target|missing|missedBy|writeOf)$/,
    /^volt\.(users|userPreferences|classrooms|devices|powerSettings|powerConsumption|schedules|siteCalendars|alertRules|maintenanceWindows|escalations|market\.areas)\.insert$/,
    /\.(appendValid|insertValid|openOfAlerts|walk|recordPresence|allInService|over)$/,
    /^volt\.(activities|auditLog)\.(record|recordEvent|countEvent)$|^volt\.ledger\.facts\./,
  ]
    .map(({ source }) => source)
    .join('|'),
)

const ofEntities = /^root\.\w+Entity\.(extend|inCollection)$/

/** Whether hosts can hand anything to it. */
export function takesArguments({ name }: PublicFunction): boolean {
  return !withoutArguments.test(name) && !forCode.test(name) && !notForHosts.test(name)
}

/** @throws Error for a function that is not known here: every new one needs its arguments. */
export function argumentsOf({ name }: PublicFunction): readonly unknown[] {
  const last = name.split('.').at(-1) ?? ''
  if (ofEntities.test(name)) return last === 'extend' ? [{ fields: {}, managed: [] }] : ['others']
  const known = byName[name] ?? byName[name.replace(/^ledger\./, 'root.')]
  const found = known ?? (name.startsWith('volt.') ? ofRepositories[last] : undefined)
  if (found === undefined) throw new Error(`${name} is public: tests/doors/arguments.ts has to say what it takes`)
  return found
}
