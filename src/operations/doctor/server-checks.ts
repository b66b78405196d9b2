import type { Document } from 'mongodb'
import { type Admin, ifAllowed, isUnavailable, numberOf } from '../admin.js'
import { replicaSetReport } from '../replica-set-report.js'
import { type Finding, ok, problem, unknown, warning } from './diagnosis.js'

/** The last day of updates of each release. Source: MongoDB's lifecycle schedules page. */
const endOfLife: Readonly<Record<string, string>> = {
  '5.0': '2024-10-31',
  '6.0': '2025-07-31',
  '7.0': '2026-08-31',
  '8.0': '2029-10-31',
}
const oldestSupported = 6
const largestLagSeconds = 30
const largestSkewMs = 1_000
const shortOplogSeconds = 24 * 3600
const scarceShare = 0.1

export async function versionFinding(admin: Admin, now: Date): Promise<Finding> {
  const { version } = await admin.runOnServer({ buildInfo: 1 })
  const release = String(version).split('.').slice(0, 2).join('.')
  if (Number(release.split('.')[0]) < oldestSupported)
    return problem(
      'version',
      `The server is MongoDB ${version}`,
      'The library is tested from 6.0 on: upgrade the server',
    )
  const end = endOfLife[release]
  return end !== undefined && now.toISOString().slice(0, 10) > end
    ? warning(
        'version',
        `MongoDB ${version} gets no updates since ${end}`,
        'Plan the upgrade to a release with updates',
      )
    : ok('version', `MongoDB ${version}`)
}

export async function replicaSetFinding(admin: Admin): Promise<Finding> {
  const hello = await admin.runOnServer({ hello: 1 })
  if (hello.msg === 'isdbgrid') return ok('replica set', 'A sharded cluster')
  if (typeof hello.setName !== 'string')
    return problem(
      'replica set',
      'The server is a standalone one',
      'Transactions and change streams need a replica set; one member is enough: mongod --replSet, then rs.initiate()',
    )
  const report = await ifAllowed(() => replicaSetReport(admin))
  if (isUnavailable(report)) return unknown('replica set', `The members cannot be looked at: ${report.unavailable}`)
  const { members, oplogSeconds } = report
  const sick = members.filter(
    ({ isHealthy, state }) => !isHealthy || !['PRIMARY', 'SECONDARY', 'ARBITER'].includes(state),
  )
  if (sick.length > 0)
    return problem(
      'replica set',
      `Of ${members.length} members not well: ${sick.map(({ host, state }) => `${host} ${state}`).join(', ')}`,
      'Look at the log of each, and at rs.status()',
    )
  const slow = members.filter(({ lagSeconds }) => (lagSeconds ?? 0) > largestLagSeconds)
  if (slow.length > 0)
    return warning(
      'replica set',
      `Behind by more than ${largestLagSeconds} s: ${slow.map(({ host, lagSeconds }) => `${host} ${lagSeconds} s`).join(', ')}`,
      'Writes wait for a majority: look at the disk and the network of that member',
    )
  if (oplogSeconds !== null && oplogSeconds < shortOplogSeconds && (await isFull(admin)))
    return warning(
      'replica set',
      `The oplog reaches back ${Math.round(oplogSeconds / 3600)} h only`,
      'Change streams that are interrupted for longer lose changes: give it a larger size (replSetResizeOplog)',
    )
  return ok('replica set', `${members.length} of ${members.length} members are well`)
}

/** A young oplog is short for another reason. */
async function isFull({ database }: Admin): Promise<boolean> {
  const [stats] = await database.client
    .db('local')
    .collection('oplog.rs')
    .aggregate([{ $collStats: { storageStats: {} } }])
    .toArray()
    .catch((): Document[] => [])
  const { size, maxSize } = (stats?.storageStats ?? {}) as Document
  return numberOf(maxSize) > 0 && numberOf(size) > 0.9 * numberOf(maxSize)
}

export async function writeConcernFinding(admin: Admin): Promise<Finding> {
  const answer = await ifAllowed(() => admin.runOnServer({ getDefaultRWConcern: 1 }))
  if (isUnavailable(answer)) return unknown('write concern', `The default cannot be read: ${answer.unavailable}`)
  const w: unknown = answer.defaultWriteConcern?.w
  return w === 'majority' || w === undefined
    ? ok('write concern', 'Writes wait for a majority by default')
    : warning(
        'write concern',
        `Writes wait for w: ${String(w)} by default`,
        'What a roll-back takes is lost then: set the default to majority (setDefaultRWConcern). The ledger asks for majority itself',
      )
}

export async function timeToLiveFinding(admin: Admin): Promise<Finding> {
  const answer = await ifAllowed(() => admin.runOnServer({ getParameter: 1, ttlMonitorEnabled: 1 }))
  if (isUnavailable(answer)) return unknown('TTL', `The parameter cannot be read: ${answer.unavailable}`)
  return answer.ttlMonitorEnabled === false
    ? problem(
        'TTL',
        'The server removes no documents by their age: ttlMonitorEnabled is off',
        'Switch it on: sessions, tokens and logs stay for ever meanwhile. A restore that was killed may have left it so',
      )
    : ok('TTL', 'Documents are removed by their age')
}

/** By the middle of a round trip. */
export async function clockFinding(admin: Admin): Promise<Finding> {
  const startedMs = Date.now()
  const { localTime } = await admin.runOnServer({ hello: 1 })
  const endedMs = Date.now()
  const skewMs = Math.round((localTime as Date).getTime() - (startedMs + endedMs) / 2)
  const uncertainMs = (endedMs - startedMs) / 2
  return Math.abs(skewMs) - uncertainMs > largestSkewMs
    ? warning(
        'clock',
        `The server's clock is ${Math.abs(skewMs)} ms ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's`,
        'Run a time service (chrony, systemd-timesyncd) on both: readings get their time here',
      )
    : ok('clock', `The clocks agree within ${Math.max(Math.abs(skewMs), Math.ceil(uncertainMs))} ms`)
}

export async function diskFinding(admin: Admin): Promise<Finding> {
  const { fsTotalSize, fsUsedSize } = await admin.run({ dbStats: 1 })
  const [total, used] = [numberOf(fsTotalSize), numberOf(fsUsedSize)]
  if (total === 0) return unknown('disk', 'The server does not say how full its disk is')
  const free = Math.max(0, total - used) / total
  const message = `${Math.round(free * 100)} % of the server's disk are free`
  return free < scarceShare
    ? problem('disk', message, 'MongoDB stops when it is full: make room, or let old data go')
    : ok('disk', message)
}
