import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import { ObjectId } from 'mongodb'
import { alternate, type Group, type Row, ratioRow, valueRow } from '../harness.js'

const deviceCount = 1_000
const roundMs = 12_000
const batch = 2_000
const questions = 40
const dayMs = 86_400_000
const program = fileURLToPath(new URL('./rule-process.ts', import.meta.url))
const severities = ['low', 'medium', 'high', 'critical'] as const

/** What rules cost ingestion, and statistics over many cases and alerts. */
export const incidents: Group = async ({ documents, rounds, say }) => {
  await using replicaSet = await startReplicaSet()
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'bench' })
  await volt.setup()
  const devices = await seedDevices(volt)
  let looked = 0
  const measured = await alternate(
    Math.min(rounds, 3),
    async () => {
      const child = fork(program, [JSON.stringify({ uri: replicaSet.uri, dbName: 'bench' })], {
        execArgv: ['--import', 'tsx'],
      })
      await once(child, 'message')
      child.on('message', (message: { readonly readings: number }) => {
        looked = message.readings
      })
      const rate = await ingest(volt, devices)
      child.kill('SIGKILL')
      await once(child, 'exit')
      return rate
    },
    () => ingest(volt, devices),
  )
  say(`the rules looked at ${looked} readings in the last round`)
  if (looked === 0) throw new Error('The rules looked at nothing')
  return [
    ratioRow('incidents.ingest-with-rules', 'readings/s', measured, { atLeast: 0.85 }),
    ...(await ask(volt, documents, say)),
  ]
}

async function seedDevices(volt: AutoVolt): Promise<ObjectId[]> {
  const room = await volt.classrooms.create({ name: 'Lab', timeZone: 'UTC' })
  const devices = await volt.devices.createMany(
    Array.from({ length: deviceCount }, (_, at) => ({
      name: `Meter ${at}`,
      macAddress: `020000${at.toString(16).padStart(6, '0')}`,
      classroom: room._id,
    })),
  )
  for (const [kind, raiseAt] of [
    ['over_voltage', 250],
    ['over_current', 16],
    ['over_power', 3_000],
  ] as const)
    await volt.alertRules.create({ name: kind, kind, severity: 'high', raiseAt, holdMs: 10_000 })
  return devices.map(({ _id }) => _id)
}

/** As fast as it goes, two batches at a time. @returns readings per second. */
async function ingest(volt: AutoVolt, devices: readonly ObjectId[]): Promise<number> {
  const startedMs = Date.now()
  let count = 0
  const insert = async (lane: number) => {
    while (Date.now() - startedMs < roundMs) {
      const first = count + lane * batch
      const readings = Array.from({ length: batch }, (_, at) => ({
        timestamp: new Date(Date.now() + (at % 100)),
        meta: { device: devices[(first + at) % devices.length] ?? new ObjectId() },
        power: 100 + (at % 50),
        voltage: 230 + (at % 30),
        current: 1 + (at % 3),
      }))
      await volt.measurements.insert(readings)
      count += batch
    }
  }
  await Promise.all([insert(0), insert(1)])
  return count / ((Date.now() - startedMs) / 1_000)
}

async function ask(volt: AutoVolt, documents: number, say: (text: string) => void): Promise<Row[]> {
  say(`${documents} cases and ${documents} alerts`)
  await seed(volt, 'cases', documents, aCase)
  await seed(volt, 'alerts', documents, anAlert)
  return [
    valueRow(
      'incidents.case-statistics-p95',
      'ms',
      { value: await p95(() => volt.cases.statistics()) },
      { atMost: 50 },
    ),
    valueRow(
      'incidents.alert-trends-p95',
      'ms',
      { value: await p95(() => volt.alerts.trends({ days: 7 })) },
      { atMost: 50 },
    ),
    valueRow(
      'incidents.open-alerts-p95',
      'ms',
      { value: await p95(() => volt.alerts.openBySeverity()) },
      { atMost: 50 },
    ),
  ]
}

async function seed(
  volt: AutoVolt,
  collection: string,
  documents: number,
  make: (at: number, createdAt: Date) => object,
): Promise<void> {
  const nowMs = Date.now()
  for (let first = 0; first < documents; first += 20_000) {
    const rows = Array.from({ length: Math.min(20_000, documents - first) }, (_, at) => {
      // Over a year.
      const createdAt = new Date(nowMs - ((first + at) / documents) * 365 * dayMs)
      return { ...make(first + at, createdAt), createdAt, updatedAt: createdAt, __v: 0 }
    })
    await volt.database.native
      .collection(collection)
      .insertMany(rows, { ordered: false, bypassDocumentValidation: true, writeConcern: { w: 1 } })
  }
}

function aCase(at: number): object {
  const isOpen = at % 100 === 0
  const severityRank = 1 + (at % 4)
  return {
    title: `Case ${at}`,
    severity: severities[at % 4],
    severityRank,
    status: isOpen ? 'open' : 'closed',
    isOpen,
    priority: 'medium',
    priorityRank: 2,
    assignee: null,
    tags: [],
    comments: [],
    history: [],
    watchers: [],
    ...(isOpen ? {} : { resolveMs: (at * 7_919) % 10_000_000, acknowledgeMs: (at * 104_729) % 1_000_000 }),
  }
}

function anAlert(at: number, timestamp: Date): object {
  const resolved = at % 100 > 0
  return {
    key: `key ${at}`,
    sequence: 1,
    type: `type_${at % 10}`,
    source: 'bench',
    severity: severities[at % 4],
    severityRank: 1 + (at % 4),
    message: 'A message',
    timestamp,
    lastAt: timestamp,
    occurrences: 1,
    resolved,
    ...(resolved ? { resolvedAt: timestamp, resolveMs: (at * 7_919) % 10_000_000 } : {}),
  }
}

async function p95(work: () => Promise<unknown>): Promise<number> {
  await work()
  const times: number[] = []
  for (let turn = 0; turn < questions; turn += 1) {
    const startedMs = performance.now()
    await work()
    times.push(performance.now() - startedMs)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(questions * 0.95)] ?? Number.NaN
}
