import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registerMetrics } from '@autovolt/data/prometheus'
import { connectAsync } from 'mqtt'
import * as client from 'prom-client'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { fileAnchor } from '../../src/ledger/log/file-anchor.js'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { startIngestion } from '../../src/mqtt/ingestion.js'
import { metrics } from '../../src/operations/metrics/metrics.js'
import { callMetricName, nameOf } from '../../src/prometheus/names.js'
import { readings } from '../ledger/support/events.js'
import { secret } from '../mqtt/support/payloads.js'
import { v2Topic } from '../mqtt/support/site.js'
import { startAedes } from '../support/aedes.js'
import { aClassroom, aDevice, aSwitch } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { setUpDatabase, testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { openVolt } from '../support/volt.js'

const { signerKey } = generateLogKeys('school.example/energy')
const database = setUpDatabase()
let volt: AutoVolt
const registry = new client.Registry()

interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The text as Prometheus reads it. */
function parse(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text])
      return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
    })
}

async function metricOf(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const found = parse(await registry.metrics()).filter((series) => series.name === name)
  return found.find((series) => Object.entries(labels).every(([key, text]) => series.labels[key] === text))?.value
}

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-metrics-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const anchors = [fileAnchor(join(folder, 'checkpoints'), 'a file')]
  volt = await openVolt(database, { monitorCommands: true, ledgerLog: { signerKeys: [signerKey], anchors } })
  await volt.setup()
  registerMetrics(volt, { client, registry })
})

describe('the metrics of Prometheus', () => {
  it('have names, units and helps by its conventions, each once', () => {
    const names = metrics.map(nameOf)
    expect(new Set(names).size).toBe(names.length)
    for (const metric of metrics) {
      const name = nameOf(metric)
      expect(name).toMatch(/^autovolt_[a-z]+(_[a-z]+)*$/)
      expect(name.endsWith('_total')).toBe(metric.kind === 'counter')
      expect(metric.help).toMatch(/^[A-Z].*[^.]$/)
    }
    expect(names).toContain('autovolt_ledger_checkpoint_timestamp_seconds')
    expect(names).toContain('autovolt_collection_storage_bytes')
  })

  it('have how calls did, by collection and command', async () => {
    const { _id } = await volt.classrooms.create(aClassroom({ name: 'a secret room' }))
    for (let time = 0; time < 5; time += 1) await volt.classrooms.get(_id)
    const update = volt.database.native.collection('classrooms').updateOne({ _id }, { $badOperator: 1 } as never)
    await expect(update).rejects.toThrow()
    const labels = { collection: 'classrooms', command: 'find', outcome: 'ok' }
    expect(await metricOf(`${callMetricName}_count`, labels)).toBe(5)
    expect(await metricOf(`${callMetricName}_sum`, labels)).toBeGreaterThan(0)
    expect(await metricOf(`${callMetricName}_bucket`, { ...labels, le: '+Inf' })).toBe(5)
    expect(await metricOf(`${callMetricName}_count`, { command: 'update', outcome: 'error' })).toBe(1)
    const text = await registry.metrics()
    expect(text).not.toContain('secret')
    expect(text).not.toContain(_id.toHexString())
  })

  it('have ledger, checkpoints, anchors and how far roll-ups are behind', async () => {
    expect(await metricOf('autovolt_ledger_checkpoint_timestamp_seconds')).toBeUndefined()
    expect(await metricOf('autovolt_backup_last_success_timestamp_seconds')).toBeUndefined()
    await volt.ledger.append(readings(7))
    await volt.ledger.checkpoint()
    await volt.rollUps.update()
    const nowSeconds = Date.now() / 1000
    expect(await metricOf('autovolt_ledger_entries')).toBe(7)
    expect(await metricOf('autovolt_ledger_checkpoint_entries')).toBe(7)
    expect(await metricOf('autovolt_ledger_checkpoint_timestamp_seconds')).toBeCloseTo(nowSeconds, -2)
    expect(await metricOf('autovolt_anchor_entries', { anchor: 'a file' })).toBe(7)
    expect(await metricOf('autovolt_anchor_failures', { anchor: 'a file' })).toBe(0)
    expect(await metricOf('autovolt_work_complete_timestamp_seconds', { work: 'roll-ups' })).toBeCloseTo(nowSeconds, -2)
    expect(await metricOf('autovolt_up')).toBe(1)
    expect(await metricOf('autovolt_pool_connections', { state: 'idle' })).toBeGreaterThan(0)
  })

  it('count failures of periodic work', async () => {
    const stop = volt.database.periodic.start({ name: 'hopeless', everyMs: 1, work: () => Promise.reject(new Error()) })
    await eventually(
      'it has failed',
      async () => Number(await metricOf('autovolt_work_failures_total', { work: 'hopeless' })) > 1,
    )
    expect(await metricOf('autovolt_work_last_success_timestamp_seconds', { work: 'hopeless' })).toBeUndefined()
    await stop()
    expect(await metricOf('autovolt_work_failures_total', { work: 'hopeless' })).toBeUndefined()
  })

  it('have what ingestions did, by the names that the host gives', async () => {
    const broker = await startAedes()
    const { _id: classroom } = await volt.classrooms.create(aClassroom())
    const device = await volt.devices.create(
      aDevice({ classroom, secret, authentication: 'broker', switches: [aSwitch({ gpio: 16 })] }),
    )
    await using main = await startIngestion(volt, { url: broker.url })
    const own = new client.Registry()
    const stop = registerMetrics(volt, { client, registry: own, ingestions: { main } })
    const speaking = await connectAsync(broker.url)
    cleanUpLater(() => speaking.endAsync(true))
    const message = { id: '1-1', boot: '1', seq: 1, time: Date.now(), gpio: 16, powerW: 60 }
    await speaking.publishAsync(v2Topic(device, 'power'), JSON.stringify(message), { qos: 1 })
    await speaking.publishAsync(v2Topic(device, 'power'), 'no JSON', { qos: 1 })
    await eventually('both are processed', () => main.status().processed >= 2)
    const series = parse(await own.metrics())
    const ofMain = (name: string, labels: object = {}) =>
      series.find(
        (one) =>
          one.name === name &&
          Object.entries({ ingestion: 'main', ...labels }).every(([key, text]) => one.labels[key] === text),
      )?.value
    expect(ofMain('autovolt_ingestion_received_messages_total')).toBe(2)
    expect(ofMain('autovolt_ingestion_entries_total')).toBe(1)
    expect(ofMain('autovolt_ingestion_quarantined_messages_total')).toBe(1)
    expect(ofMain('autovolt_ingestion_lag_seconds')).toBe(0)
    expect(ofMain('autovolt_ingestion_connected', { session: 'shared' })).toBe(1)
    expect(ofMain('autovolt_ingestion_budget_limit_bytes', { budget: 'intake' })).toBeGreaterThan(0)
    expect(series.find(({ name }) => name === 'autovolt_quarantine_messages')?.value).toBe(1)
    stop()
    expect(await own.metrics()).toBe('\n')
  })

  it('have labels of few values: nothing that grows with devices, messages or documents', async () => {
    const rooms = Array.from({ length: 50 }, (_, n) => aClassroom({ name: `Room ${n}` }))
    const before = parse(await registry.metrics()).length
    await volt.classrooms.createMany(rooms)
    for (const { _id } of await volt.classrooms.find({})) await volt.classrooms.get(_id)
    const after = parse(await registry.metrics())
    // At most the series of one more command.
    expect(after.length - before).toBeLessThanOrEqual(3 * 17)
    const labels = new Set(after.flatMap((series) => Object.keys(series.labels)))
    expect([...labels].toSorted()).toEqual(
      ['anchor', 'code', 'collection', 'command', 'le', 'outcome', 'state', 'work'].filter((label) =>
        labels.has(label),
      ),
    )
    const declared = new Map([
      [callMetricName, ['collection', 'command', 'outcome', 'le']] as const,
      ...metrics.map((one) => [nameOf(one), one.labels] as const),
    ])
    for (const { name, labels: has } of after) {
      const known = declared.get(name.replace(/_(bucket|sum|count)$/, '')) ?? declared.get(name)
      expect(known, name).toBeDefined()
      expect(Object.keys(has).filter((label) => !known?.includes(label))).toEqual([])
    }
  })
})

describe('registerMetrics', () => {
  it('refuses what it cannot use, and leaves nothing behind', async () => {
    const own = new client.Registry()
    const silent = await openVolt(testDatabase())
    expect(() => registerMetrics(silent, { client, registry: own })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    )
    expect(() => registerMetrics({} as AutoVolt, { client, registry: own })).toThrow(
      expect.objectContaining({ code: 'VALIDATION' }),
    )
    const wrong = { client, registry: own, ingestions: { 'a b': { status: () => 1 } } } as never
    expect(() => registerMetrics(volt, wrong)).toThrow(expect.objectContaining({ code: 'VALIDATION' }))
    expect(own.getMetricsAsArray()).toEqual([])
    expect(() => registerMetrics(volt, { client, registry })).toThrow(
      /has a metric autovolt_call_duration_seconds already/,
    )
  })

  it('says that the database is down, and goes on when it is back', async () => {
    await using mongod = await startMongodProcess()
    const short = { serverSelectionTimeoutMs: 500, monitorCommands: true }
    const other = await openVolt({ uri: mongod.uri, dbName: 'school' }, short)
    await other.setup()
    const own = new client.Registry()
    registerMetrics(other, { client, registry: own })
    const up = async () => parse(await own.metrics()).find(({ name }) => name === 'autovolt_up')?.value
    expect(await up()).toBe(1)
    await mongod.kill()
    expect(await up()).toBe(0)
    const names = parse(await own.metrics()).map(({ name }) => name)
    expect(names).not.toContain('autovolt_ledger_entries')
    expect(names).toContain('autovolt_pool_waiting')
    await mongod.start()
    await eventually('it is up again', async () => (await up()) === 1)
  })
})
