import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyRingOptions } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import { connectAsync, type MqttClient } from 'mqtt'
import { startEmbeddedBroker } from './embedded-broker.js'
import { databaseIn, keptKey, keptLedgerLog, type LedgerLog, ledgerLogOfThisRun, placeOf } from './own-servers.js'
import type { Resources } from './resources.js'

export interface DatabaseServer {
  readonly uri: string
  readonly dbName: string
  readonly keys: KeyRingOptions
  /** Who signs checkpoints, and where they are kept. */
  readonly ledgerLog: LedgerLog
  readonly description: string
}

/** The user's own database, else an embedded one that goes with the app. */
export async function openDatabaseServer(ownUri: string | undefined, resources: Resources): Promise<DatabaseServer> {
  if (ownUri !== undefined) {
    const dbName = databaseIn(ownUri)
    const keys = { active: 'host-app', keys: { 'host-app': await keptKey() } }
    const ledgerLog = await keptLedgerLog(dbName)
    return { uri: ownUri, dbName, keys, ledgerLog, description: `${placeOf(ownUri)}, database ${dbName}` }
  }
  const replicaSet = await startReplicaSet()
  resources.add('the embedded mongod', () => replicaSet.stop())
  const keys = { active: 'this-run', keys: { 'this-run': randomBytes(32) } }
  const description = `embedded mongod, ${placeOf(replicaSet.uri)}, gone when the app ends`
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-host-checkpoints-'))
  resources.add('the checkpoints', () => rm(folder, { recursive: true, force: true }))
  return { uri: replicaSet.uri, dbName: 'autovolt', keys, ledgerLog: ledgerLogOfThisRun(folder), description }
}

export interface Broker {
  readonly url: string
  readonly isEmbedded: boolean
  readonly description: string
}

/** The user's own broker, else an embedded one. */
export async function openBroker(ownUrl: string | undefined, resources: Resources): Promise<Broker> {
  if (ownUrl !== undefined) return { url: ownUrl, isEmbedded: false, description: placeOf(ownUrl) }
  const broker = await startEmbeddedBroker()
  resources.add('the embedded broker', () => broker.stop())
  return { url: broker.url, isEmbedded: true, description: `embedded aedes, ${placeOf(broker.url)}` }
}

/** The connection that commands go out by. It shows at once whether the broker can be reached. */
export async function connectToBroker({ url }: Broker, resources: Resources): Promise<MqttClient> {
  try {
    const client = await connectAsync(url, { connectTimeout: 5_000, protocolVersion: 4 }, false)
    client.on('error', () => undefined)
    resources.add('the connection to the broker', () => client.endAsync(true))
    return client
  } catch (error) {
    throw new Error(`The MQTT broker at ${placeOf(url)} cannot be used: ${reasonOf(error)}`)
  }
}

/** Where several addresses were tried, the error has a code but says nothing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the connection failed'
  return error.message || ('code' in error ? String(error.code) : 'the connection failed')
}
