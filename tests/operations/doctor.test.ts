import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { fileAnchor } from '../../src/ledger/log/file-anchor.js'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import type { Finding } from '../../src/operations/doctor/diagnosis.js'
import { readings } from '../ledger/support/events.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { startSecuredMongod } from '../support/secured-mongod.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const statesOf = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ check, state }) => [check, state]))

it('says of a database that nobody set up what to do', async () => {
  const volt = await openVolt(testDatabase())
  const { isHealthy, findings } = await volt.operations.doctor()
  expect(isHealthy).toBe(false)
  expect(findings.find(({ check }) => check === 'setup')).toMatchObject({
    state: 'problem',
    message: expect.stringContaining('Not as declared') as string,
    advice: expect.stringContaining('autovolt setup') as string,
  })
})

it('finds each fault of a server, and nothing else', async () => {
  const mongod = await startMongodProcess()
  const client = new MongoClient(mongod.uri)
  cleanUpLater(() => client.close())
  const volt = await openVolt({ uri: mongod.uri, dbName: 'school' })
  await volt.setup()
  const sound = await volt.operations.doctor()
  expect(statesOf(sound.findings)).toMatchObject({
    'replica set': 'ok',
    'write concern': 'ok',
    setup: 'ok',
    'kept work': 'ok',
    ledger: 'ok',
    quarantine: 'ok',
    TTL: 'ok',
    clock: 'ok',
    profiler: 'ok',
    // Nobody logs in here, and nobody backs up.
    'access control': 'warning',
    backup: 'warning',
  })

  await client.db('admin').command({ setParameter: 1, ttlMonitorEnabled: false })
  await client.db('admin').command({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 1 } })
  await client.db('school').collection('devices').dropIndex('type_1_name_1__id_1')
  const now = new Date()
  const message = { topic: 'a', reason: 'unknown_topic', lastReceivedAt: now }
  await client
    .db('school')
    .collection('ingest_quarantine')
    .insertMany(
      Array.from({ length: 120 }, (_, n) => ({ ...message, digest: String(n) })),
      { bypassDocumentValidation: true },
    )
  const faulty = statesOf((await volt.operations.doctor()).findings)
  expect(faulty).toMatchObject({ TTL: 'problem', 'write concern': 'warning', setup: 'problem', quarantine: 'warning' })
  const changed = Object.entries(faulty).filter(([check, state]) => statesOf(sound.findings)[check] !== state)
  expect(changed.map(([check]) => check).toSorted()).toEqual(['TTL', 'quarantine', 'setup', 'write concern'])
}, 180_000)

it('knows how far checkpoints and anchors have come', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-doctor-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const { signerKey } = generateLogKeys('school.example/energy')
  const anchor = fileAnchor(join(folder, 'checkpoints'), 'a file')
  const clock = new SettableClock()
  const volt = await openVolt(testDatabase(), { clock, ledgerLog: { signerKeys: [signerKey], anchors: [anchor] } })
  await volt.setup()
  const ledgerFindings = async () => (await volt.operations.doctor()).findings.filter(({ check }) => check === 'ledger')
  expect(await ledgerFindings()).toMatchObject([{ message: 'The ledger has no entries' }])
  await volt.ledger.append(readings(3))
  expect(await ledgerFindings()).toMatchObject([
    { state: 'warning', message: 'The ledger has 3 entries and no checkpoint' },
  ])
  await volt.ledger.checkpoint()
  expect(await ledgerFindings()).toMatchObject([
    { state: 'ok', message: expect.stringContaining('covers 3 entries') },
    { state: 'ok', message: 'The anchor a file took a checkpoint 0 min ago' },
  ])
  await volt.ledger.append(readings(2))
  clock.advance(2 * 3_600_000)
  expect((await ledgerFindings())[0]).toMatchObject({ state: 'warning' })
})

it('works under the role that docs/operations.md names, and says of others what they may not see', async () => {
  const secured = await startSecuredMongod()
  const dbName = 'school'
  const owner = await openVolt({ uri: secured.uriOf('owner'), dbName })
  await owner.setup()
  expect(statesOf((await owner.operations.doctor()).findings)).toMatchObject({
    'access control': 'ok',
    roles: 'warning',
  })

  const watching = await openVolt({
    uri: await secured.createUser('watcher', [
      { role: 'clusterMonitor', db: 'admin' },
      { role: 'dbAdmin', db: dbName },
      { role: 'readWrite', db: dbName },
    ]),
    dbName,
  })
  const states = statesOf((await watching.operations.doctor()).findings)
  expect(Object.values(states)).not.toContain('unknown')
  expect(states).toMatchObject({ 'access control': 'ok', roles: 'ok', 'replica set': 'ok' })
  await watching.operations.server()
  await watching.operations.sizes()
  await watching.operations.slowQueries({ forMs: 10 })
  await watching.operations.indexAdvice()
  await watching.operations.running()

  const writer = await openVolt({
    uri: await secured.createUser('writer', [{ role: 'readWrite', db: dbName }]),
    dbName,
  })
  const limited = statesOf((await writer.operations.doctor()).findings)
  expect(limited).toMatchObject({
    'replica set': 'unknown',
    TTL: 'unknown',
    version: expect.stringMatching(/ok|warning/),
  })
  await expect(writer.operations.server()).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
}, 180_000)
