import { DatabaseError } from '../core/errors.js'
import { Lease } from '../core/lease.js'
import type { Budget } from '../ingestion/budget.js'
import { DecoderSet } from '../ingestion/decoder-set.js'
import { IngestWindowStore } from '../ingestion/ingest-window-store.js'
import type { IngestionParts } from '../ingestion/ingestion-parts.js'
import { isolateFailingMessage } from '../ingestion/isolate-failing-message.js'
import { OrderedPipeline } from '../ingestion/ordered-pipeline.js'
import { type Decoded, IngestionCounters } from '../ingestion/pipeline.js'
import { QuarantineReplay, type ReplayFilter, type ReplayResult } from '../ingestion/quarantine-replay.js'
import { SharedPipeline } from '../ingestion/shared-pipeline.js'
import type { subscriptionEntity } from '../ingestion/subscription.js'
import { type SessionAtBroker, SubscriptionStore } from '../ingestion/subscription-store.js'
import { deployedDecoder } from './deployed-decoder.js'
import { latest } from './faults.js'
import type { IngestionHandle, IngestionOptions } from './ingestion-options.js'
import { type IngestionStatus, stateOf } from './ingestion-status.js'
import { LeasedSession } from './leased-session.js'
import { brokerOf } from './mqtt-client.js'
import { requireHandle, requireIngestionOptions } from './parse-options.js'
import { MqttSession, type ReceivedMessage, type SessionOptions } from './session.js'
import { v2Decoder } from './v2-decoder.js'

const defaultConnectTimeoutMs = 30_000
const leaseDurationMs = 6_000
const pruneEveryMs = 60_000
const concurrentBatches = 2

type OwnOptions = Omit<SessionOptions, 'url' | 'client' | 'clock' | 'logger' | 'leftovers'>

/** Ingestion of one broker's messages into one database. Ended by the caller that started it. */
export class Ingestion {
  readonly #parts: IngestionParts
  readonly #options: IngestionOptions
  readonly #decoders: DecoderSet
  readonly #counters = new IngestionCounters()
  readonly #windows: string
  readonly #subscriptions: SubscriptionStore
  readonly #ordered: LeasedSession | undefined
  readonly #shared: LeasedSession | undefined
  readonly #sharedPipeline: SharedPipeline
  #orderedPipeline: OrderedPipeline | undefined
  #pruning: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(volt: IngestionHandle, options: IngestionOptions) {
    const name = options.name ?? 'autovolt'
    this.#options = options
    this.#decoders = new DecoderSet(options.decoders ?? [deployedDecoder(), v2Decoder()])
    this.#windows = volt.entityOf('ingestWindows').collection
    this.#subscriptions = new SubscriptionStore(
      volt.database,
      volt.entityOf('ingestSubscriptions') as typeof subscriptionEntity,
    )
    this.#parts = volt.ingestion.parts(options)
    this.#sharedPipeline = new SharedPipeline(this.#parts, this.#counters)
    if (this.#decoders.of('arrival').filters.length > 0) {
      const lease = this.#lease(volt, `${name}:ordered`)
      this.#ordered = this.#leased(lease, (onLost) => this.#openOrdered(`${name}-ordered`, lease, onLost))
    }
    if (this.#decoders.of('device').filters.length > 0) {
      const clientId = `${name}-${options.instance ?? 'main'}`
      const lease = this.#lease(volt, `${name}:shared:${clientId}`)
      this.#shared = this.#leased(lease, (onLost) => this.#openShared(clientId, lease, onLost))
    }
  }

  /** @throws DatabaseError if the broker refuses the connection or does not answer; then everything is closed again. */
  async start(): Promise<void> {
    const limitMs = this.#options.connectTimeoutMs ?? defaultConnectTimeoutMs
    try {
      await Promise.all([this.#ordered?.start(limitMs), this.#shared?.start(limitMs)])
    } catch (error) {
      await this.close()
      throw error
    }
    this.#pruning = setInterval(() => void this.#prune(), pruneEveryMs)
    this.#pruning.unref()
  }

  status(): IngestionStatus {
    const leased = [this.#ordered, this.#shared].filter((one) => one !== undefined)
    const sessions = leased.map(({ session }) => session).filter((session) => session !== undefined)
    const nowMs = this.#parts.database.clock.now().getTime()
    return {
      sessions: { ordered: stateOf(this.#ordered), shared: stateOf(this.#shared) },
      received: sum(leased.map(({ counts }) => counts.received)),
      processed: this.#counters.processed,
      acknowledged: sum(leased.map(({ counts }) => counts.acknowledged)),
      entries: this.#counters.entries,
      repeated: this.#counters.repeated,
      quarantined: this.#counters.quarantined,
      ignored: this.#counters.ignored,
      notes: { count: this.#counters.notes, last: this.#counters.lastNote },
      pending: sum(sessions.map(({ pending }) => pending)),
      isHolding: sessions.some(({ isHolding }) => isHolding),
      lagMs: Math.max(0, ...sessions.map((session) => session.lagMs(nowMs))),
      budgets: this.#budgets(sessions),
      retries: sum(leased.map(({ counts }) => counts.retries)),
      lastError: latest(leased.map(({ lastFault }) => lastFault)),
    }
  }

  #budgets(sessions: readonly MqttSession[]): IngestionStatus['budgets'] {
    const { directory, quarantine } = this.#parts
    const [shared, ordered] = [this.#sharedPipeline.budgets, this.#orderedPipeline?.budgets]
    return {
      intake: together(sessions.map(({ budget }) => budget)),
      quarantine: quarantine.budget,
      unknownDevices: directory.budget,
      deviceStates: ordered?.deviceStates ?? none,
      inFlight: ordered?.inFlight ?? none,
      telemetry: together([shared.telemetry, ordered?.telemetry ?? none]),
      lives: together([shared.lives, ordered?.lives ?? none]),
    }
  }

  /** How many messages are in quarantine, by reason, and how many were dropped from it for age or size. */
  async quarantineCounts() {
    return { byReason: await this.#parts.quarantine.countByReason(), dropped: await this.#parts.quarantine.dropped() }
  }

  /**
   * Takes quarantined messages as if they came now, oldest first; what can be used now leaves the quarantine. Messages whose
   * order is that of their arrival are skipped while another process holds their session.
   * @throws DatabaseError `CLOSED` after {@link close}; what was replayed until then is.
   */
  async replayQuarantine(filter: ReplayFilter = {}): Promise<ReplayResult> {
    const requireOpen = () => this.#requireOpen()
    requireOpen()
    const isHeld = this.#ordered?.session !== undefined
    return new QuarantineReplay(
      this.#parts,
      this.#decoders,
      this.#sharedPipeline,
      isHeld ? this.#orderedPipeline : undefined,
      requireOpen,
    ).run(filter)
  }

  /** Finishes what was taken, and leaves the sessions to others. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#pruning)
    await Promise.all([this.#ordered?.stop(), this.#shared?.stop()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new DatabaseError('CLOSED', 'This ingestion is closed')
  }

  #lease(volt: IngestionHandle, name: string): Lease {
    return new Lease(volt.database, {
      name: `ingestion:${name}`,
      durationMs: leaseDurationMs,
    })
  }

  #leased(lease: Lease, open: (onLost: () => void) => Promise<MqttSession>): LeasedSession {
    const { clock, logger } = this.#parts.database
    return new LeasedSession({ lease, durationMs: leaseDurationMs, open, clock, logger })
  }

  async #openOrdered(clientId: string, lease: Lease, onLost: () => void): Promise<MqttSession> {
    const window = new IngestWindowStore(this.#parts.database, this.#windows, clientId)
    await window.load()
    const pipeline = new OrderedPipeline(this.#parts, this.#counters, lease, window)
    const decoders = this.#decoders.of('arrival')
    this.#orderedPipeline = pipeline
    return this.#open(lease, {
      clientId,
      onLost,
      filters: decoders.filters,
      concurrency: 1,
      needsDigests: true,
      heardUntil: window.storedAt,
      process: (batch) => isolateFailingMessage(this.#decode(decoders, batch), (part) => pipeline.process(part)),
    })
  }

  #openShared(clientId: string, lease: Lease, onLost: () => void): Promise<MqttSession> {
    const { sharedSubscription } = this.#options
    const prefix = sharedSubscription === undefined ? '' : `$share/${sharedSubscription}/`
    const decoders = this.#decoders.of('device')
    return this.#open(lease, {
      clientId,
      onLost,
      filters: decoders.filters.map((filter) => `${prefix}${filter}`),
      concurrency: concurrentBatches,
      needsDigests: false,
      heardUntil: undefined,
      process: (batch) =>
        isolateFailingMessage(this.#decode(decoders, batch), (part) => this.#sharedPipeline.process(part)),
    })
  }

  async #open(lease: Lease, own: OwnOptions): Promise<MqttSession> {
    const { url, client = {} } = this.#options
    const { clock, logger } = this.#parts.database
    const place = { session: own.clientId, broker: brokerOf(url) }
    const filters = await this.#subscriptions.note(place, own.filters, lease)
    const leftovers = { filters, unsubscribed: () => this.#unsubscribed(place, filters) }
    const session = new MqttSession({ ...own, url, client, clock, logger, leftovers })
    await session.open()
    return session
  }

  /** The broker may have queued messages for what the session was subscribed to before: nobody wants these any more. */
  #decode(decoders: DecoderSet, batch: readonly ReceivedMessage[]): Decoded<ReceivedMessage>[] {
    const decoded = decoders.decode(batch)
    this.#counters.ignored += batch.length - decoded.length
    return decoded
  }

  /** What is not forgotten is unsubscribed again another time. */
  async #unsubscribed(place: SessionAtBroker, leftovers: readonly string[]): Promise<void> {
    const { logger } = this.#parts.database
    logger.info({ ...place, filters: leftovers }, 'unsubscribed from what no decoder takes now')
    await this.#subscriptions.forget(place, leftovers).catch((error: unknown) => {
      logger.warn({ ...place, reason: reasonOf(error) }, 'the subscriptions that have ended could not be forgotten')
    })
  }

  async #prune(): Promise<void> {
    try {
      await this.#parts.quarantine.prune()
    } catch (error) {
      this.#parts.database.logger.warn({ reason: reasonOf(error) }, 'the quarantine could not be pruned')
    }
  }
}

/**
 * Starts taking messages from a broker into the ledger.
 * @throws DatabaseError `KEY_RING` if the handle has no keys, `CONFIGURATION` if the broker refuses the connection,
 * `CONNECTION` if it cannot be reached within `connectTimeoutMs`.
 * @example
 * const ingestion = await startIngestion(volt, { url: 'mqtt://localhost:1883' })
 */
export async function startIngestion(volt: IngestionHandle, options: IngestionOptions): Promise<Ingestion> {
  requireHandle(volt)
  requireIngestionOptions(options)
  void volt.database.keyRing
  const ingestion = new Ingestion(volt, options)
  await ingestion.start()
  return ingestion
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const none: Budget = { bytes: 0, maximumBytes: 0 }

function together(budgets: readonly Budget[]): Budget {
  return {
    bytes: sum(budgets.map(({ bytes }) => bytes)),
    maximumBytes: sum(budgets.map(({ maximumBytes }) => maximumBytes)),
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
