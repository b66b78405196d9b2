import type { IClientOptions, MqttClient } from 'mqtt'
import { z } from 'zod'
import type { AutoVolt } from '../../autovolt.js'
import type { DeviceCommand } from '../../commands/command.js'
import { permitUntil, type SendPermit, type SendResult, type Transport } from '../../commands/transport.js'
import { DatabaseError, NotFoundError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'
import { settlesWithin } from '../../core/settles-within.js'
import type { Device } from '../../devices/device.js'
import { requirePrefix } from '../decoder-options.js'
import { createPublisher, refusalOf, unreachable } from '../mqtt-client.js'
import { requireHandle } from '../parse-options.js'
import { deployedCommand, deployedConfig, v2Command, v2Config } from './outgoing-commands.js'
import type { OutgoingMessage } from './signed-message.js'

export interface MqttTransportOptions {
  /** The broker: `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string
  /** Further options of mqtt.js, such as `username`, `password`, `ca`. */
  readonly client?: IClientOptions
  /** How long the first connection is tried for, ms. @default 30_000 */
  readonly connectTimeoutMs?: number
  /** The first level of the topics of version 2, or several. @default 'autovolt' */
  readonly prefix?: string
  /** The first level of the deployed firmware's topics, or several. @default 'esp32' */
  readonly deployedPrefix?: string
  /**
   * Whether a device speaks version 2. @default one that has signed a message or has to, that names its runs, or whose
   * `communication.version` is 2
   */
  readonly isVersion2?: (device: Device) => boolean
}

/** What the transport needs of a handle, whatever its entities are extended with. */
export type TransportHandle = Pick<AutoVolt, 'database' | 'devices' | 'deviceLogs'>

const schema = z.strictObject({
  url: z.string().min(1),
  client: z.custom<IClientOptions>(isRecord).optional(),
  connectTimeoutMs: z.int().min(1).default(30_000),
  prefix: z.string().default('autovolt'),
  deployedPrefix: z.string().default('esp32'),
  isVersion2: z
    .custom<(device: Device) => boolean>((value) => typeof value === 'function')
    .default(() => speaksVersion2),
})

/** Between two relays of a device (docs/mqtt.md). */
const relayPauseMs = 150
/** The deployed firmware answers by its next snapshot at the latest, which comes every 30 seconds. */
const deployedAnswerMs = 35_000
const v2AnswerMs = 10_000
const usualPeriodMs = 30_000
const largestPauseBetweenReportsMs = 60_000

/** Sends commands over MQTT, in the protocol of the deployed firmware and in version 2. Ended by the caller that started it. */
export class MqttTransport implements Transport {
  readonly name = 'mqtt'
  readonly protocols = ['mqtt'] as const
  readonly #volt: TransportHandle
  readonly #options: z.output<typeof schema>
  readonly #client: MqttClient

  constructor(volt: TransportHandle, options: z.output<typeof schema>, client: MqttClient) {
    this.#volt = volt
    this.#options = options
    this.#client = client
  }

  /** Seen within twice its reporting period, and not said to be offline. */
  isReachable({ status, lastSeenAt, reportingPeriodMs = usualPeriodMs }: Device): boolean {
    const nowMs = this.#volt.database.clock.now().getTime()
    const withinMs = Math.max(2 * reportingPeriodMs, largestPauseBetweenReportsMs)
    return status !== 'offline' && lastSeenAt !== undefined && nowMs - lastSeenAt.getTime() <= withinMs
  }

  answerWithinMs(device: Device): number {
    return this.#options.isVersion2(device) ? v2AnswerMs : deployedAnswerMs
  }

  pauseMs(): number {
    return relayPauseMs
  }

  async send(command: DeviceCommand, device: Device, permit: SendPermit): Promise<SendResult> {
    // Read anew for each: it may have been changed a moment ago.
    const secret = await this.#secretOf(device)
    if (device.macAddress === undefined) return refused('the device has no MAC address')
    if (secret === undefined) return refused('the device has no secret')
    const { prefix, deployedPrefix } = this.#options
    const message = this.#options.isVersion2(device)
      ? v2Command(prefix, command, device, secret, this.#volt.database.clock.now().getTime())
      : deployedCommand(deployedPrefix, command, device, secret)
    if (message === undefined) return refused('the deployed firmware knows no such command')
    await this.#publish(message, permit)
    return { kind: 'published' }
  }

  /**
   * Sends a device its pins and, of version 2, its configuration. It says nothing to that; the device log has it.
   * @throws NotFoundError for a device that is none, or has no secret; DatabaseError `CONNECTION` without a connection.
   */
  async pushConfig(id: Device['_id'] | string): Promise<void> {
    const device = await this.#volt.devices.get(id)
    const secret = await this.#volt.devices.revealDeviceSecret(device._id)
    const { prefix, deployedPrefix } = this.#options
    const isVersion2 = this.#options.isVersion2(device)
    const message = isVersion2
      ? v2Config(prefix, device, secret, this.#volt.database.clock.now().getTime())
      : deployedConfig(deployedPrefix, device, secret)
    await this.#publish(message, permitUntil(performance.now() + this.#options.connectTimeoutMs))
    const hasConfig = isVersion2 && device.config !== undefined
    const pushed = hasConfig ? ['pins', 'configuration'] : ['pins']
    this.#volt.deviceLogs.log({ device: device._id, kind: 'config_pushed', details: { pushed } })
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #secretOf({ _id }: Device): Promise<string | undefined> {
    try {
      return await this.#volt.devices.revealDeviceSecret(_id)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }

  /** What is not sent now is not sent later: mqtt.js would keep it until there is a connection. */
  async #publish({ topic, payload, qos }: OutgoingMessage, permit: SendPermit): Promise<void> {
    if (!this.#client.connected)
      throw new DatabaseError('CONNECTION', 'There is no connection to the MQTT broker', { retryable: true })
    if (!permit.isValid()) throw new DatabaseError('TIMEOUT', 'The time to send is over', { retryable: true })
    const publishing = this.#client.publishAsync(topic, payload, { qos, retain: false })
    const isOver = new Promise<void>((resolve) =>
      permit.signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    // Once it is on its way nobody knows: the deadline of the command decides.
    await Promise.race([publishing.catch(() => undefined), isOver])
  }
}

/**
 * Connects to a broker, to send commands by it; `volt.commands.start({ transports: [transport] })` does.
 * @throws ValidationError; DatabaseError `CONFIGURATION` if the broker refuses the connection, `CONNECTION` if it cannot be
 * reached in time, `KEY_RING` if the handle has no keys.
 * @example
 * const transport = await connectTransport(volt, { url: 'mqtt://localhost:1883' })
 * const stop = volt.commands.start({ transports: [transport] })
 */
export async function connectTransport(volt: TransportHandle, options: MqttTransportOptions): Promise<MqttTransport> {
  requireHandle(volt)
  const result = schema.safeParse(options)
  if (!result.success) {
    const fields = result.error.issues.map(({ path }) => path.join('.')).join(', ')
    throw new DatabaseError('CONFIGURATION', `The options of the MQTT transport cannot be used: ${fields}`)
  }
  const given = result.data
  requirePrefix('transport', given.prefix)
  requirePrefix('transport', given.deployedPrefix)
  void volt.database.keyRing
  const client = await createPublisher(given.url, given.client ?? {})
  client.on('error', () => undefined)
  await connected(client, given.url, given.connectTimeoutMs)
  return new MqttTransport(volt, given, client)
}

async function connected(client: MqttClient, url: string, limitMs: number): Promise<void> {
  let refusal: DatabaseError | undefined
  let reason: string | undefined
  const done = new Promise<void>((resolve) => {
    client.once('connect', () => resolve())
    client.on('error', (error) => {
      refusal = refusalOf(error)
      reason = error.message
      if (refusal !== undefined) resolve()
    })
  })
  client.connect()
  await settlesWithin(limitMs, done)
  if (client.connected) return
  await client.endAsync(true)
  throw refusal ?? unreachable(url, limitMs, reason)
}

function speaksVersion2({ hasSigned, run, authentication, communication }: Device): boolean {
  return hasSigned === true || run !== undefined || authentication === 'signature' || communication?.version === 2
}

function refused(detail: string): SendResult {
  return { kind: 'refused', detail }
}
