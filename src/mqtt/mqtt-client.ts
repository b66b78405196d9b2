import { Duplex } from 'node:stream'
import type { IClientOptions, MqttClient } from 'mqtt'
import { DatabaseError } from '../core/errors.js'
import { redactCredentials } from '../core/redact.js'
import { maximumPayloadBytes } from '../ingestion/raw-message.js'
import { LimitedStream } from './wire/limited-stream.js'

/** A broker that speaks MQTT 5 sends no larger packet (MQTT 5, section 3.1.2.11.4). */
const maximumPacketSize = 1024 * 1024

/** A client of a session that outlives its connections. It has not begun to connect. @throws DatabaseError `CONFIGURATION`. */
export function createClient(url: string, clientId: string, options: IClientOptions): Promise<MqttClient> {
  return build(url, { ...options, clientId, clean: false })
}

/** A client that only publishes, and keeps nothing for later. It has not begun to connect. @throws DatabaseError `CONFIGURATION`. */
export function createPublisher(url: string, options: IClientOptions): Promise<MqttClient> {
  return build(url, { ...options, clean: true, queueQoSZero: false })
}

async function build(url: string, options: IClientOptions): Promise<MqttClient> {
  const mqtt = await importMqtt()
  try {
    const client = mqtt.connect(url, {
      keepalive: 30,
      reconnectPeriod: 1000,
      ...options,
      ...(options.protocolVersion === 5 && { properties: { maximumPacketSize, ...options.properties } }),
      // A broker that refuses us once, because what it asks for logins is down, must not be given up for ever.
      reconnectOnConnackError: true,
      resubscribe: false,
      manualConnect: true,
    })
    limitPackets(client)
    return client
  } catch (error) {
    // Not as its cause: it holds the URL.
    const reason = error instanceof Error ? redactCredentials(error.message) : 'unknown'
    throw new DatabaseError('CONFIGURATION', `The URL or the options of the MQTT broker cannot be used: ${reason}`)
  }
}

/**
 * Has everything that the client receives cut to size first: up to version 3.1.1 of MQTT a packet may have 256 MiB, and
 * mqtt.js keeps the whole of it. What it makes its streams with has no public name.
 */
function limitPackets(client: MqttClient): void {
  const build: unknown = Reflect.get(client, 'streamBuilder')
  if (typeof build !== 'function') throw new Error('this version of mqtt.js is not known')
  const limits = { payloadBytes: maximumPayloadBytes, hasProperties: client.options.protocolVersion === 5 }
  const buildLimited = (...given: unknown[]) => {
    const stream: unknown = Reflect.apply(build, client, given)
    if (!(stream instanceof Duplex)) throw new Error('this version of mqtt.js makes streams of another kind')
    return new LimitedStream(stream, limits)
  }
  Reflect.set(client, 'streamBuilder', buildLimited)
}

async function importMqtt(): Promise<typeof import('mqtt').default> {
  try {
    return (await import('mqtt')).default
  } catch (cause) {
    throw new DatabaseError('CONFIGURATION', 'MQTT ingestion needs the package mqtt: npm install mqtt@5', { cause })
  }
}

/** Why a broker says no for good, in the numbers of MQTT 3.1.1 (section 3.2.2.3) and 5 (section 3.2.2.2). */
const refusals: ReadonlySet<unknown> = new Set([1, 2, 4, 5, 132, 133, 134, 135, 138, 140])

/** The error, if the broker has answered and said no: trying again with the same options is of no use. */
export function refusalOf(error: Error): DatabaseError | undefined {
  const isRefusal = error.message.startsWith('Connection refused:') && 'code' in error && refusals.has(error.code)
  return isRefusal ? refused(error) : undefined
}

/** The broker has said no: to the connection, or to a subscription. */
export function refused(error: unknown): DatabaseError {
  const reason = redactCredentials(error instanceof Error ? error.message : String(error))
  return new DatabaseError('CONFIGURATION', `The MQTT broker refuses us: ${reason}`)
}

/** The broker cannot be reached. Of its URL only what cannot hold credentials is named. */
export function unreachable(url: string, afterMs: number, reason: string | undefined): DatabaseError {
  const why = reason === undefined ? '' : `: ${reason}`
  return new DatabaseError(
    'CONNECTION',
    `No connection to the MQTT broker ${brokerOf(url)} within ${afterMs} ms${why}`,
    {
      retryable: true,
    },
  )
}

/** The broker's protocol and host: of its URL only what cannot hold credentials. */
export function brokerOf(url: string): string {
  try {
    const { protocol, host } = new URL(url)
    return `${protocol}//${host}`
  } catch {
    return 'given'
  }
}
