import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { fileAnchor } from '../../src/ledger/log/file-anchor.js'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { startIngestion } from '../../src/mqtt/ingestion.js'
import type { Finding } from '../../src/operations/doctor/diagnosis.js'
import { contentOf } from '../backup/support/content.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { fillZoo } from '../backup/support/zoo.js'
import { argumentsOf, callSafely, takesArguments } from '../doors/arguments.js'
import { outcomeOf } from '../doors/outcome.js'
import { handleFunctions } from '../doors/public-functions.js'
import { anImage, sha256Of, streamOf } from '../firmware/support.js'
import { readings } from '../ledger/support/events.js'
import { secret } from '../mqtt/support/payloads.js'
import { v2Topic } from '../mqtt/support/site.js'
import { startAedes } from '../support/aedes.js'
import { aClassroom, aDevice, aSwitch, aUser } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'
import { type SecuredDatabase, startSecuredDatabase } from './support/secured-database.js'

const logKeys = generateLogKeys('school.example/energy')
const signing = { ledgerLog: { signerKeys: [logKeys.signerKey] } }
const refused = { code: 'NOT_AUTHORIZED' }
let secured: SecuredDatabase
let folder: string

beforeAll(async () => {
  secured = await startSecuredDatabase()
  folder = await mkdtemp(join(tmpdir(), 'autovolt-roles-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const migrating = await secured.as('migration')
  await migrating.setup()
}, 180_000)

/** What the driver says when a command of its own is refused. */
const commandOf = (volt: AutoVolt, command: object) => volt.database.native.command(command)
const unauthorized = { code: 13 }

const statesOf = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ check, state }) => [check, state]))

describe('the role for migrations', () => {
  it('sets a database up, migrates it and tends it', async () => {
    const migrating = await secured.as('migration')
    await migrating.database.native.collection('devices').dropIndex('type_1_name_1__id_1')
    expect((await migrating.setup({ dryRun: true })).isComplete).toBe(false)
    await migrating.setup()
    await migrating.migrations.migrate()
    expect((await migrating.migrations.status()).migrations.every(({ state }) => state === 'applied')).toBe(true)
    expect((await migrating.setup({ dryRun: true })).isComplete).toBe(true)
    await migrating.operations.slowQueries({ forMs: 10 })
    await migrating.operations.indexAdvice()
    await migrating.operations.validate('devices')
  })

  it('reaches no other database, no user, and no server', async () => {
    const migrating = await secured.as('migration')
    const other = migrating.database.client.db('other')
    await expect(other.collection('a').insertOne({})).rejects.toMatchObject(unauthorized)
    await expect(other.collection('a').findOne({})).rejects.toMatchObject(unauthorized)
    await expect(commandOf(migrating, { dropDatabase: 1 })).rejects.toMatchObject(unauthorized)
    await expect(migrating.operations.roles.createUser('another', 'migration')).rejects.toMatchObject(refused)
    await expect(migrating.operations.roles.create()).rejects.toMatchObject(refused)
    await expect(migrating.operations.server()).rejects.toMatchObject(refused)
  })
})

describe('the role for the application', () => {
  let volt: AutoVolt
  const notes: string[] = []

  beforeAll(async () => {
    const note = (_: unknown, message: string) => void notes.push(message)
    const logger = { debug: () => undefined, info: note, warn: note, error: note }
    volt = await secured.as('application', { ...signing, logger })
  })

  it('takes messages from a broker into the ledger, and answers questions about energy', async () => {
    const broker = await startAedes()
    const { _id: classroom } = await volt.classrooms.create(aClassroom())
    const device = await volt.devices.create(
      aDevice({ classroom, secret, authentication: 'broker', switches: [aSwitch({ gpio: 16, powerRating: 60 })] }),
    )
    await using ingestion = await startIngestion(volt, { url: broker.url })
    const speaking = await connectAsync(broker.url)
    cleanUpLater(() => speaking.endAsync(true))
    const say = (seq: number, payload: object) =>
      speaking.publishAsync(v2Topic(device, 'power'), JSON.stringify({ id: `1-${seq}`, boot: '1', seq, ...payload }), {
        qos: 1,
      })
    const nowMs = Date.now()
    for (const seq of [1, 2, 3]) await say(seq, { time: nowMs - 60_000 * (3 - seq), gpio: 16, powerW: 60 })
    await speaking.publishAsync(v2Topic(device, 'power'), 'no JSON', { qos: 1 })
    await eventually('all is processed', () => ingestion.status().processed >= 4)
    expect(ingestion.status()).toMatchObject({ entries: 3, quarantined: 1, lastError: null })
    await volt.rollUps.update()
    await volt.registers.update()
    const [{ _id: switchId } = { _id: classroom }] = device.switches
    expect((await volt.ledger.find({ switchId })).length).toBe(3)
    await volt.analytics.dailyByClassroom({ from: '2026-03-01', to: '2026-03-02', classrooms: [classroom] })
    expect((await volt.ledger.checkpoint()).checkpoint?.size).toBeGreaterThanOrEqual(3)
    expect(await volt.ledger.verify()).toMatchObject({ valid: true })
    // With the right to pass the validator by nothing is checked twice.
    expect(notes.filter((message) => message.includes('checked twice'))).toEqual([])
  })

  it('keeps people, sessions, firmware, change streams, leases and transactions', async () => {
    const user = await volt.users.create(aUser({ password: 'a long enough password' }))
    await volt.signIn.withPassword(user.email, 'a long enough password')
    const image = anImage(100_000)
    await volt.firmware.upload({ version: '1.0.0', board: 'esp32dev', sha256: sha256Of(image) }, streamOf(image))
    const watching = new AbortController()
    const changes = await volt.classrooms.watch({}, { signal: watching.signal })
    const next = changes[Symbol.asyncIterator]().next()
    await volt.transaction(async () => {
      await volt.classrooms.create(aClassroom())
      await volt.ledger.append(readings(2))
    })
    expect((await next).done).toBe(false)
    watching.abort()
    await volt.start({ checkpoints: { everyMs: 60_000 } })()
    const health = await volt.health()
    expect(health).toMatchObject({ status: 'up' })
    expect(health.notices.map(({ code }) => code)).not.toContain('NOT_SET_UP')
  })

  it('is enough for every public function, but for those that other roles are for', async () => {
    const others =
      /^volt\.(setup|migrations\.|backup\.|operations\.|retention\.|ledger\.archive|as$|close|transaction|repository|entityOf|on$)/
    const found: string[] = []
    const tried = handleFunctions(volt).filter(
      ({ name }) => !others.test(name) && takesArguments({ name, identity: name, call: () => undefined }),
    )
    for (const each of tried) {
      let cause: unknown
      const noted = async () => {
        try {
          return await callSafely(each, argumentsOf(each))
        } catch (error) {
          cause = error
          throw error
        }
      }
      await outcomeOf(noted)
      if (/not authorized|NOT_AUTHORIZED/i.test(JSON.stringify(cause) ?? ''))
        found.push(`${each.name}: ${String(cause)}`)
    }
    expect(tried.length).toBeGreaterThan(150)
    expect(found).toEqual([])
  }, 120_000)

  it('changes and removes no entry of the ledger, and no shape of a collection', async () => {
    const { native } = volt.database
    const ledger = native.collection('power_consumption_ledger')
    await expect(ledger.updateOne({}, { $set: { ratePerKwh: 0 } })).rejects.toMatchObject(unauthorized)
    await expect(ledger.deleteMany({})).rejects.toMatchObject(unauthorized)
    await expect(ledger.drop()).rejects.toMatchObject(unauthorized)
    const merge = [{ $limit: 1 }, { $merge: { into: 'power_consumption_ledger', whenMatched: 'replace' } }]
    await expect(native.collection('devices').aggregate(merge).toArray()).rejects.toMatchObject(unauthorized)
    await expect(commandOf(volt, { collMod: 'devices', validationLevel: 'off' })).rejects.toMatchObject(unauthorized)
    await expect(commandOf(volt, { dropDatabase: 1 })).rejects.toMatchObject(unauthorized)
    await expect(commandOf(volt, { dropIndexes: 'devices', index: '*' })).rejects.toMatchObject(unauthorized)
    await expect(native.collection('of_nobody').insertOne({})).rejects.toMatchObject(unauthorized)
    await expect(volt.database.client.db('other').collection('a').findOne({})).rejects.toMatchObject(unauthorized)
    await expect(volt.ledger.archive({ file: join(folder, 'a.jsonl') })).rejects.toMatchObject(refused)
    await expect(volt.operations.slowQueries({ forMs: 1 })).rejects.toMatchObject(refused)
    await expect(volt.backup.create({ storage: new MemoryStorage() })).rejects.toMatchObject(refused)
  })
})

describe('the roles for backups', () => {
  it('make, verify and go on with them, and restore them elsewhere and in place', async () => {
    const dbName = 'zoo'
    const owner = await openVolt({ uri: secured.uriOf('owner'), dbName })
    const db = secured.owner.db(dbName)
    await fillZoo(db)
    await owner.setup()
    await owner.operations.roles.create()
    const userOf = async (purpose: 'backup' | 'restore') => {
      const { user, password } = await owner.operations.roles.createUser(`zoo-${purpose}`, purpose)
      return openVolt({ uri: secured.uriWith(user, String(password)), dbName })
    }
    const storage = new MemoryStorage()
    const maker = await userOf('backup')
    const { id } = await maker.backup.create({ storage })
    expect(await maker.backup.verify({ storage, backup: id })).toMatchObject({ valid: true })
    await db.collection('weather').insertOne({ at: new Date(), place: { room: 9 }, celsius: 9 })
    const { operationTime } = await db.command({ ping: 1 })
    await sleep(1100)
    const content = await contentOf(db)
    await db.collection('weather').insertOne({ at: new Date(), place: { room: 9 }, celsius: 9 })
    await sleep(1100)
    expect(await maker.backup.slice({ storage })).toMatchObject({ source: 'oplog' })
    expect((await maker.backup.prune({ storage })).decisions).toHaveLength(1)
    expect(await maker.backup.status()).toMatchObject({ failures: 0 })
    await expect(maker.backup.restore({ storage, target: { into: 'elsewhere' } })).rejects.toMatchObject({
      code: expect.stringMatching(/^(NOT_AUTHORIZED|SETUP_BLOCKED)$/) as string,
    })
    await expect(maker.devices.create(aDevice())).rejects.toMatchObject(refused)
    await expect(maker.database.client.db('school').collection('users').findOne({})).rejects.toMatchObject(unauthorized)

    const restorer = await userOf('restore')
    const to = new Date(operationTime.t * 1000).toISOString()
    expect(await restorer.backup.restore({ storage, to, target: { into: 'looked_at' } })).toMatchObject({ valid: true })
    expect(await contentOf(secured.owner.db('looked_at'))).toEqual(content)
    expect(await restorer.backup.restoreDrill({ storage })).toMatchObject({ valid: true })
    await restorer.backup.restore({ storage, to, target: { inPlace: 'replace' } })
    expect(await contentOf(db)).toEqual(content)
    await expect(restorer.operations.roles.createUser('another', 'restore')).rejects.toMatchObject(refused)
    const users = restorer.database.client.db('admin').collection('system.users')
    await expect(users.insertOne({ user: 'another' })).rejects.toThrow(/not authorized/i)
  }, 600_000)
})

describe('the role for metrics', () => {
  it('sees how the server and the library are doing', async () => {
    const watching = await secured.as('metrics')
    const { findings } = await watching.operations.doctor()
    const states = statesOf(findings)
    expect(findings.filter(({ state }) => state === 'unknown')).toEqual([])
    expect(states).toMatchObject({ 'access control': 'ok', roles: 'ok', setup: 'ok', 'replica set': 'ok' })
    await watching.operations.server()
    await watching.operations.sizes()
    await watching.operations.running()
    expect(await watching.health()).toMatchObject({ status: 'up' })
  })

  it('finds what is behind, and what is not set up', async () => {
    const dbName = 'behind'
    const owner = await openVolt({ uri: secured.uriOf('owner'), dbName })
    await owner.setup()
    await owner.ledger.append(readings(3))
    await owner.operations.roles.create()
    const { user, password } = await owner.operations.roles.createUser('behind-metrics', 'metrics')
    const watching = await openVolt({ uri: secured.uriWith(user, String(password)), dbName })
    expect((await watching.health()).notices.map(({ code }) => code)).toContain('ROLL_UPS_BEHIND')
    await secured.owner.db(dbName).command({ collMod: 'devices', validator: {} })
    await secured.owner.db(dbName).collection('users').dropIndexes()
    const { findings } = await watching.operations.doctor()
    expect(findings.find(({ check }) => check === 'setup')).toMatchObject({
      state: 'problem',
      message: expect.stringMatching(/devices different|users different/) as string,
    })
  })

  it('reads nothing of people and devices, and ends nothing', async () => {
    const watching = await secured.as('metrics')
    await expect(watching.users.find({})).rejects.toMatchObject(refused)
    await expect(watching.devices.find({})).rejects.toMatchObject(refused)
    await expect(watching.ledger.find({})).rejects.toMatchObject(refused)
    await expect(watching.operations.slowQueries({ forMs: 1 })).rejects.toMatchObject(refused)
    await expect(watching.database.native.collection('leases').deleteMany({})).rejects.toMatchObject(unauthorized)
  })
})

describe('the role for auditors', () => {
  it('verifies and exports the ledger, and proves an entry', async () => {
    const volt = await secured.as('application', {
      ledgerLog: { signerKeys: [logKeys.signerKey], anchors: [fileAnchor(join(folder, 'anchor'), 'a file')] },
    })
    const appended = await volt.ledger.append(readings(5))
    await volt.ledger.append([{ ...readings(1)[0]!, notes: 'with a note' }])
    await volt.ledger.checkpoint()
    const auditing = await secured.as('auditor', { ledgerLog: { verifierKeys: [logKeys.verifierKey] } })
    expect(await auditing.ledger.verify()).toMatchObject({ valid: true })
    expect(await auditing.ledger.proveInclusion(appended[0]!.entry._id)).toMatchObject({ kind: 'inclusion' })
    // An export is signed.
    const exporting = await secured.as('auditor', signing)
    await pipeline(exporting.ledger.export(), createWriteStream(join(folder, 'ledger.jsonl')))
  })

  it('writes nothing, and reads nothing else', async () => {
    const auditing = await secured.as('auditor')
    await expect(auditing.ledger.append(readings(1))).rejects.toMatchObject(refused)
    await expect(auditing.users.find({})).rejects.toMatchObject(refused)
    await expect(auditing.classrooms.create(aClassroom())).rejects.toMatchObject(refused)
    await expect(auditing.database.native.collection('ledger_checkpoints').deleteMany({})).rejects.toMatchObject(
      unauthorized,
    )
  })
})

describe('roles', () => {
  it('are created once by any number of processes, and set right where somebody has changed them', async () => {
    const volt = await openVolt({ uri: secured.uriOf('owner'), dbName: 'fresh' })
    const { roles } = volt.operations
    expect((await roles.compare()).map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'missing'))
    await expect(roles.createUser('early', 'metrics')).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await Promise.all([roles.create(), roles.create(), roles.create()])
    expect((await roles.compare()).filter(({ state }) => state !== 'same')).toEqual([])
    const wide = [{ resource: { db: 'fresh', collection: '' }, actions: ['find', 'remove'] }]
    await secured.owner.db('admin').command({ updateRole: 'autovolt_auditor_fresh', privileges: wide })
    const changed = (await roles.create()).filter(({ state }) => state !== 'same')
    expect(changed.map(({ purpose, state }) => [purpose, state])).toEqual([['auditor', 'different']])
    expect((await roles.compare()).every(({ state }) => state === 'same')).toBe(true)
  })

  it('know the collections of the host, under the names that it gives', async () => {
    const volt = await openVolt(
      { uri: secured.uriOf('owner'), dbName: 'named' },
      { collections: { ledger: 'energy_ledger', users: 'people' } },
    )
    const [application] = volt.operations.roles.definitions()
    const actionsOn = (name: string) =>
      application?.privileges.find(({ resource }) => resource.collection === name)?.actions
    expect(actionsOn('energy_ledger')).not.toContain('remove')
    expect(actionsOn('people')).toContain('remove')
    expect(actionsOn('users')).toBeUndefined()
  })

  it('give a user a password that nothing but the result has, and leave one alone that is there', async () => {
    const logged: unknown[] = []
    const note = (...of: unknown[]) => void logged.push(of)
    const logger = { debug: note, info: note, warn: note, error: note }
    const volt = await openVolt({ uri: secured.uriOf('owner'), dbName: 'school' }, { logger, logQueries: true })
    const commands: string[] = []
    volt.database.client.on('commandStarted', ({ command }) => void commands.push(JSON.stringify(command)))
    const { password } = await volt.operations.roles.createUser('once', 'auditor')
    expect(password).toMatch(/^[\w-]{32}$/)
    const again = await volt.operations.roles.createUser('once', 'migration').catch((error: unknown) => error)
    expect(again).toMatchObject({ code: 'CONFLICT' })
    expect(JSON.stringify([logged, commands, again, String(again)])).not.toContain(password)
    const { users } = await secured.owner.db('admin').command({ usersInfo: { user: 'once', db: 'admin' } })
    expect(users[0].roles).toEqual([{ role: 'autovolt_auditor_school', db: 'admin' }])
  })

  it.each([['a b'], [''], ['x'.repeat(200)], ['$where'], [{ $gt: '' }]])(
    'refuse %j as the name of a user',
    async (name) => {
      const { roles } = secured.byOwner.operations
      await expect(roles.createUser(name as string, 'auditor')).rejects.toMatchObject({ code: 'VALIDATION' })
    },
  )
})

describe('the doctor', () => {
  it('says where a user may do more or less than its role', async () => {
    const volt = await secured.as('application')
    const rolesOf = async () => (await volt.operations.doctor()).findings.filter(({ check }) => check === 'roles')
    expect(await rolesOf()).toMatchObject([{ state: 'ok' }])
    const { authInfo } = await volt.database.native.command({ connectionStatus: 1 })
    const { user } = authInfo.authenticatedUsers[0]
    const admin = secured.owner.db('admin')
    await admin.command({ grantRolesToUser: user, roles: [{ role: 'readWrite', db: 'school' }] })
    expect(await rolesOf()).toMatchObject([
      {
        state: 'warning',
        message: expect.stringMatching(/: [^;]*remove, [^;]*update on power_consumption_ledger/) as string,
      },
    ])
    await admin.command({ revokeRolesFromUser: user, roles: [{ role: 'readWrite', db: 'school' }] })
    await admin.command({
      revokePrivilegesFromRole: 'autovolt_application_school',
      privileges: [{ resource: { db: 'school', collection: 'devices' }, actions: ['update'] }],
    })
    expect(await rolesOf()).toMatchObject([
      {
        state: 'warning',
        message: expect.stringContaining('lacks what its role has by now: update on devices') as string,
      },
    ])
    await secured.byOwner.operations.roles.create()
    expect(await rolesOf()).toMatchObject([{ state: 'ok' }])
  })
})
