import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt'
import type { Clock } from '../core/clock.js'
import { DatabaseError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { settlesWithin } from '../core/settles-within.js'
import type { Budget } from '../ingestion/budget.js'
import { digestOf, keptBytes, maximumPayloadBytes, type RawMessage } from '../ingestion/raw-message.js'
import { pubacks } from './acknowledgement.js'
import { type Fault, Faults } from './faults.js'
import { FirstOutcome } from './first-outcome.js'
import { Intake, type ReceivedMessage } from './intake.js'
import { createClient, refusalOf, refused, unreachable } from './mqtt-client.js'
import { RoundTrips } from './round-trips.js'
import { readCutPayload } from './wire/packet-limiter.js'

export type { ReceivedMessage } from './intake.js'

export interface Leftovers {
  readonly filters: readonly string[]
  /** Called once, when the broker has confirmed that the session is without them. */
  readonly unsubscribed: () => Promise<void>
}

export interface SessionOptions {
  /** The address of the broker, such as `mqtts://broker.example:8883`. */
  readonly url: string
  /** The name of the session at the broker. */
  readonly clientId: string
  /** What the session is to be subscribed to. */
  readonly filters: readonly string[]
  /** What the session may be subscribed to besides, and is not to be. */
  readonly leftovers?: Leftovers
  /** Options of the MQTT client. */
  readonly client: IClientOptions
  /** How many batches may be on their way at once. */
  readonly concurrency: number
  /** Makes a batch durable. */
  readonly process: (batch: readonly ReceivedMessage[]) => Promise<void>
  /** Called when a batch was given up because the session is another process's now. */
  readonly onLost?: () => void
  /** Whether messages are distinguished by their content: only then are digests made. */
  readonly needsDigests: boolean
  /** When this session last received anything, in a process before this one. */
  readonly heardUntil: Date | undefined
  /** What says the time. */
  readonly clock: Clock
  /** Where it says what it does. */
  readonly logger: Logger
}

const batchSize = 2000
/** How long the batches in flight are waited for at the end. */
const endingMs = 10_000
const goodbyeMs = 2_000

/**
 * One MQTT session: it takes messages off the wire as long as there is room for them, and acknowledges each once it is
 * durable: in order of receipt, on the connection that it came by. When the database is slow or gone it stops acknowledging,
 * then reading; the broker keeps what was not acknowledged to it.
 */
export class MqttSession {
  readonly #options: SessionOptions
  readonly #intake: Intake
  readonly #faults: Faults
  readonly #first = new FirstOutcome()
  #client: MqttClient | undefined
  #roundTrips: RoundTrips | undefined
  #isStopping = false
  #isUnsubscribed = false
  #isSettling = false
  /** Since when messages may have been waiting for us; undefined while they come as they are sent. */
  #deafSinceMs: number | undefined
  received = 0
  acknowledged = 0
  retries = 0

  constructor(options: SessionOptions) {
    this.#options = options
    this.#deafSinceMs = options.heardUntil?.getTime()
    this.#faults = new Faults(options.clock, options.logger, options.clientId)
    this.#intake = new Intake({
      concurrency: options.concurrency,
      batchSize,
      process: options.process,
      finished: (batch, isDurable) => this.#finished(batch, isDurable),
      failed: (error) => this.#failed(error),
    })
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false
  }

  /** Messages that are taken and not durable yet. */
  get pending(): number {
    return this.#intake.pending
  }

  /** Whether the socket is not being read because there is too much pending. */
  get isHolding(): boolean {
    return this.#intake.isHolding
  }

  /** What pending messages take of what they may take. */
  get budget(): Budget {
    return this.#intake.budget
  }

  /** What is wrong with the broker or the database now. */
  get lastFault(): Fault | null {
    return this.#faults.last
  }

  /** How long the oldest message that is not durable yet has been here. */
  lagMs(nowMs: number): number {
    return this.#intake.lagMs(nowMs)
  }

  /** Begins to connect, and keeps at it until it is stopped. @throws DatabaseError `CONFIGURATION`. */
  async open(): Promise<void> {
    const { url, clientId, client: options } = this.#options
    const client = await createClient(url, clientId, options)
    if (this.#isStopping) return
    this.#client = client
    this.#roundTrips = new RoundTrips(client)
    client.handleMessage = (packet, done) => this.#take(client, packet, done)
    client.on('connect', () => void this.#subscribe(client))
    client.on('close', () => this.#disconnected())
    client.on('error', (error) => this.#refused(error))
    client.connect()
  }

  /**
   * Waits until the session is subscribed for the first time. A broker that has accepted us and has many messages for us
   * answers only after these: as long as they come, it is not late.
   * @throws DatabaseError `CONFIGURATION` if the broker says no, `CONNECTION` if it does not answer in time.
   */
  async connected(limitMs: number): Promise<void> {
    let received = 0
    while (!(await this.#first.wait(limitMs))) {
      const isBusy = this.isConnected && (this.received > received || !this.#intake.isIdle)
      if (!isBusy) throw unreachable(this.#options.url, limitMs, this.lastFault?.message)
      received = this.received
    }
  }

  /** Takes nothing more, finishes what was taken if the database allows it, and disconnects; the session stays at the broker. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#first.refused(new DatabaseError('CLOSED', 'The MQTT session was closed before it was connected'))
    await this.#intake.end(endingMs)
    await this.#disconnect()
  }

  /** Says goodbye, so that the last acknowledgements go out; a broker that does not answer is left. */
  async #disconnect(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    const hasEnded = await settlesWithin(goodbyeMs, client.endAsync(!client.connected))
    if (!hasEnded) client.stream.destroy()
  }

  async #subscribe(client: MqttClient): Promise<void> {
    try {
      await this.#unsubscribe(client)
      await client.subscribeAsync([...this.#options.filters], { qos: 1 })
    } catch (error) {
      if (!client.connected) return
      this.#faults.met('broker', error)
      this.#first.refused(refused(error))
      return
    }
    this.#faults.resolved('broker')
    this.#first.made()
    await this.#settle()
  }

  /** First, for a leftover can be part of what is subscribed to next, and would have messages delivered twice. */
  async #unsubscribe(client: MqttClient): Promise<void> {
    const { leftovers } = this.#options
    if (leftovers === undefined || leftovers.filters.length === 0 || this.#isUnsubscribed) return
    await client.unsubscribeAsync([...leftovers.filters])
    this.#isUnsubscribed = true
    await leftovers.unsubscribed()
  }

  #refused(error: Error): void {
    this.#faults.met('broker', error)
    const refusal = refusalOf(error)
    if (refusal !== undefined) this.#first.refused(refusal)
  }

  #disconnected(): void {
    this.#deafSinceMs ??= this.#options.clock.now().getTime()
    this.#intake.dropHeld()
    // An end without an error, as of a broker that is shut down, leaves us without messages all the same.
    if (!this.#isStopping && !this.#faults.has('broker')) this.#faults.met('broker', closedByPeer)
  }

  #take(client: MqttClient, packet: IPublishPacket, done: (error?: Error) => void): void {
    this.received += 1
    const message = this.#receive(client, packet)
    // An error keeps mqtt.js from acknowledging by itself.
    const hadRoom = this.#intake.offer(message, () => done(notYetDurable))
    if (!hadRoom) this.#deafSinceMs ??= message.receivedAt.getTime()
  }

  #receive(client: MqttClient, packet: IPublishPacket): ReceivedMessage {
    const { topic } = packet
    const content = contentOf(packet)
    const receivedAt = this.#options.clock.now()
    const digest = this.#options.needsDigests ? digestOf({ topic, ...content }) : ''
    const packetId = packet.qos === 0 ? undefined : packet.messageId
    return {
      topic,
      ...content,
      receivedAt,
      isRetained: packet.retain,
      digest,
      packetId,
      delivery: packetId === undefined ? undefined : { packetId, digest, isRepeated: packet.dup },
      waitingSinceMs: this.#deafSinceMs ?? receivedAt.getTime(),
      connection: client.stream,
    }
  }

  #failed(error: unknown): void {
    this.retries += 1
    this.#faults.met('database', error)
  }

  #finished(batch: readonly ReceivedMessage[], isDurable: boolean): void {
    if (isDurable) {
      this.#faults.resolved('database')
      this.#acknowledge(batch)
    } else if (!this.#isStopping) {
      this.#options.onLost?.()
    }
    void this.#settle()
  }

  #acknowledge(batch: readonly ReceivedMessage[]): void {
    const client = this.#client
    if (client?.connected !== true) return
    const packetIds = batch.flatMap(({ connection, packetId }) =>
      connection === client.stream && packetId !== undefined ? [packetId] : [],
    )
    if (packetIds.length === 0) return
    client.stream.write(pubacks(packetIds))
    this.acknowledged += packetIds.length
  }

  /** Messages come as they are sent once the broker has none left that waited: it answers a ping, and sends none before. */
  async #settle(): Promise<void> {
    while (this.#deafSinceMs !== undefined && !this.#isSettling && this.#intake.isIdle && this.isConnected) {
      this.#isSettling = true
      const { received } = this
      const isAnswered = await this.#roundTrips?.ping()
      this.#isSettling = false
      if (isAnswered !== true) return
      if (received === this.received) this.#deafSinceMs = undefined
    }
  }
}

/** Of a payload that was cut on its way in, the beginning, in memory of its own. */
function contentOf({ payload }: IPublishPacket): Pick<RawMessage, 'payload' | 'whole'> {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  const cut = readCutPayload(bytes, { payloadBytes: maximumPayloadBytes })
  if (cut === undefined) return { payload: bytes }
  const { beginning, payloadBytes, digest } = cut
  return { payload: Buffer.from(beginning.subarray(0, keptBytes)), whole: { payloadBytes, digest } }
}

const notYetDurable = new Error('not durable yet')
const closedByPeer = new Error('The connection was closed')
