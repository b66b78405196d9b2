import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import type { Clock } from '../core/clock.js'
import { DatabaseError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { redactCredentials } from '../core/redact.js'
import type { DeliveredMessage } from '../ingestion/ordered-pipeline.js'
import { digestOf } from '../ingestion/quarantine-store.js'
import { pubacks } from './acknowledgement.js'

/** A message, and the connection that it came by: only there can it be acknowledged. */
export interface ReceivedMessage extends DeliveredMessage {
  readonly connection: number
  readonly packetId: number | undefined
}

export interface SessionOptions {
  readonly url: string
  readonly clientId: string
  readonly filters: readonly string[]
  readonly client: IClientOptions
  /** How many batches may be on their way at once. */
  readonly concurrency: number
  /** Makes a batch durable. */
  readonly process: (batch: readonly ReceivedMessage[]) => Promise<void>
  /** Whether messages are told apart by their content: only then are digests made. */
  readonly needsDigests: boolean
  /** When this session last heard anything, in a process before this one. */
  readonly heardUntil: Date | undefined
  readonly clock: Clock
  readonly logger: Logger
}

const batchSize = 2000
/** Beyond these the socket is not read any more. */
const maximumMessages = 8000
const maximumBytes = 32 * 1024 * 1024
const longestPauseMs = 5_000
const settleMs = 250
const goodbyeMs = 2_000

/**
 * One MQTT session. It takes messages off the wire as long as there is room, hands them on in batches, and acknowledges
 * each batch once it is durable: in order of receipt, on the connection that it came by. When the database is slow or gone
 * it stops acknowledging, then reading; the broker keeps what it was not told of.
 */
export class MqttSession {
  readonly #options: SessionOptions
  readonly #queue: ReceivedMessage[] = []
  #client: MqttClient | undefined
  #connection = 0
  #held: (() => void) | undefined
  /** Messages that were taken off the wire and are not durable yet, and their bytes. */
  #pendingMessages = 0
  #pendingBytes = 0
  #running = 0
  #turn: Promise<void> = Promise.resolve()
  #isStopping = false
  #settling: NodeJS.Timeout | undefined
  /** Since when messages may have been waiting for us; undefined while they come as they are sent. */
  #deafSinceMs: number | undefined
  readonly #oldest: number[] = []
  received = 0
  acknowledged = 0
  retries = 0
  lastError: string | null = null

  constructor(options: SessionOptions) {
    this.#options = options
    this.#deafSinceMs = options.heardUntil?.getTime()
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false
  }

  /** Messages that are taken and not durable yet. */
  get pending(): number {
    return this.#pendingMessages
  }

  /** Whether the socket is not being read because there is too much pending. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** How long the oldest message that is not durable yet has been here. */
  lagMs(nowMs: number): number {
    const oldest = this.#oldest[0] ?? this.#queue[0]?.receivedAt.getTime()
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest)
  }

  /** Connects and subscribes; resolves with the first connection, and keeps connecting after that. */
  async start(): Promise<void> {
    const mqtt = await importMqtt()
    const { url, clientId, client: options, filters } = this.#options
    const client = mqtt.connect(url, {
      keepalive: 30,
      reconnectPeriod: 1000,
      ...options,
      clientId,
      clean: false,
      resubscribe: false,
      manualConnect: true,
    })
    this.#client = client
    client.handleMessage = (packet, done) => this.#take(packet, done)
    client.on('connect', () => void this.#subscribe(client, filters))
    client.on('close', () => this.#disconnected())
    client.on('error', (error) => this.#failed(error))
    client.connect()
    try {
      await firstConnection(client)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Takes nothing more, finishes what was taken if the database allows it, and disconnects; the session stays at the broker. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#settling)
    this.#queue.length = 0
    this.#held = undefined
    await this.#turn.catch(() => undefined)
    await this.#disconnect()
  }

  /** Says goodbye, so that the last acknowledgements go out; a broker that does not answer is left. */
  async #disconnect(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    const timer = setTimeout(() => client.stream?.destroy(), goodbyeMs)
    await client.endAsync(!client.connected)
    clearTimeout(timer)
  }

  async #subscribe(client: MqttClient, filters: readonly string[]): Promise<void> {
    this.#connection += 1
    this.#settle()
    try {
      const grants = await client.subscribeAsync([...filters], { qos: 1 })
      const refused = grants.filter(({ qos }) => qos >= 128).map(({ topic }) => topic)
      if (refused.length > 0) throw new Error(`the broker refuses ${refused.join(', ')}`)
    } catch (error) {
      if (client.connected) this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.lastError = redactCredentials(error instanceof Error ? error.message : String(error))
    this.#options.logger.error({ clientId: this.#options.clientId, reason: this.lastError }, 'mqtt error')
  }

  #disconnected(): void {
    this.#connection += 1
    this.#deafSinceMs ??= this.#options.clock.now().getTime()
    // The connection that the held message would have been answered on is gone; the broker sends it again.
    this.#held = undefined
  }

  #take(packet: IPublishPacket, done: (error?: Error) => void): void {
    this.received += 1
    const message = this.#receive(packet)
    this.#queue.push(message)
    this.#pendingMessages += 1
    this.#pendingBytes += message.payload.byteLength
    // An error keeps mqtt.js from acknowledging by itself.
    const goOn = () => done(notYetDurable)
    if (this.#pendingMessages < maximumMessages && this.#pendingBytes < maximumBytes) goOn()
    else {
      this.#held = goOn
      this.#deafSinceMs ??= message.receivedAt.getTime()
    }
    if (this.#running === 0) setImmediate(() => this.#pump())
  }

  #receive(packet: IPublishPacket): ReceivedMessage {
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    const receivedAt = this.#options.clock.now()
    const digest = this.#options.needsDigests ? digestOf({ topic: packet.topic, payload }) : ''
    const packetId = packet.qos === 0 ? undefined : packet.messageId
    return {
      topic: packet.topic,
      payload,
      receivedAt,
      digest,
      packetId,
      delivery: packetId === undefined ? undefined : { packetId, digest, isRepeated: packet.dup },
      heardSinceMs: this.#deafSinceMs ?? receivedAt.getTime(),
      connection: this.#connection,
    }
  }

  /** Starts batches as far as there is work and room. Each ends in its turn, so acknowledgements keep the order of receipt. */
  #pump(): void {
    while (!this.#isStopping && this.#queue.length > 0 && this.#running < this.#options.concurrency) {
      const batch = this.#queue.splice(0, batchSize)
      this.#running += 1
      this.#oldest.push(batch[0]?.receivedAt.getTime() ?? 0)
      const durable = this.#makeDurable(batch)
      this.#turn = this.#turn.then(() => durable).then((isDurable) => this.#finish(batch, isDurable))
    }
  }

  /** Tries until it succeeds, or until the session stops. */
  async #makeDurable(batch: readonly ReceivedMessage[]): Promise<boolean> {
    for (let attempt = 1; !this.#isStopping; attempt += 1) {
      try {
        await this.#options.process(batch)
        return true
      } catch (error) {
        this.retries += 1
        this.#failed(error)
        if (error instanceof DatabaseError && error.code === 'LEASE_LOST') return false
        await new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** Math.min(attempt, 10), longestPauseMs)))
      }
    }
    return false
  }

  #finish(batch: readonly ReceivedMessage[], isDurable: boolean): void {
    this.#running -= 1
    this.#oldest.shift()
    this.#pendingMessages -= batch.length
    for (const { payload } of batch) this.#pendingBytes -= payload.byteLength
    if (isDurable) this.#acknowledge(batch)
    if (this.#isStopping) return
    if (this.#pendingMessages < maximumMessages / 2 && this.#pendingBytes < maximumBytes / 2) this.#release()
    this.#pump()
    if (this.#queue.length === 0) this.#settle()
  }

  #acknowledge(batch: readonly ReceivedMessage[]): void {
    if (this.#client?.connected !== true) return
    const packetIds = batch.flatMap(({ connection, packetId }) =>
      connection === this.#connection && packetId !== undefined ? [packetId] : [],
    )
    if (packetIds.length === 0) return
    this.#client.stream.write(pubacks(packetIds))
    this.acknowledged += packetIds.length
  }

  #release(): void {
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  /** Once nothing has been waiting for a moment, messages come as they are sent. */
  #settle(): void {
    clearTimeout(this.#settling)
    if (this.#isStopping) return
    this.#settling = setTimeout(() => {
      if (this.isConnected && this.#queue.length === 0 && this.#running === 0) this.#deafSinceMs = undefined
    }, settleMs)
    this.#settling.unref()
  }
}

const notYetDurable = new Error('not durable yet')

/** Waits for the first connection. mqtt.js goes on trying, unless the broker has answered and said no. */
function firstConnection(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      client.off('connect', onConnect)
      client.off('error', onError)
      end()
    }
    const onConnect = () => settle(resolve)
    const onError = (error: Error) => {
      if (isRefusal(error)) settle(() => reject(sessionError(error)))
    }
    client.on('connect', onConnect)
    client.on('error', onError)
  })
}

/** Whether the broker has answered, and said no: trying again is of no use. */
function isRefusal(error: Error): boolean {
  return /not authorized|bad user name|identifier rejected|unacceptable protocol/i.test(error.message)
}

function sessionError(error: Error): DatabaseError {
  return new DatabaseError(
    'CONFIGURATION',
    `The MQTT broker refuses the connection: ${redactCredentials(error.message)}`,
  )
}

async function importMqtt(): Promise<typeof import('mqtt').default> {
  try {
    return (await import('mqtt')).default
  } catch (cause) {
    throw new DatabaseError('CONFIGURATION', 'MQTT ingestion needs the package mqtt: npm install mqtt@5', { cause })
  }
}
