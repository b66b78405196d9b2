import type { IClientOptions } from 'mqtt'
import type { AutoVolt } from '../autovolt.js'
import { Lease } from '../core/lease.js'
import { Reader } from '../core/repository/reader.js'
import type { classroomEntity } from '../devices/classroom.js'
import type { deviceEntity } from '../devices/device.js'
import { DeviceRepository } from '../devices/device-repository.js'
import { DeviceDirectory } from '../ingestion/device-directory.js'
import { IngestWindowStore } from '../ingestion/ingest-window-store.js'
import { OrderedPipeline } from '../ingestion/ordered-pipeline.js'
import { IngestionCounters, type IngestionParts } from '../ingestion/pipeline.js'
import { processIsolating } from '../ingestion/poison.js'
import { PriceSource } from '../ingestion/price-source.js'
import { defaultQuarantineLimits, type QuarantineLimits, QuarantineStore } from '../ingestion/quarantine-store.js'
import type { Decoder } from '../ingestion/report.js'
import { SharedPipeline } from '../ingestion/shared-pipeline.js'
import { DEFAULT_EARLIEST_CREDIBLE_MS } from '../metering/index.js'
import { DecoderSet } from './decoder-set.js'
import { deployedDecoder } from './deployed-decoder.js'
import { LeasedSession } from './leased-session.js'
import { QuarantineReplay, type ReplayFilter, type ReplayResult } from './quarantine-replay.js'
import { MqttSession, type ReceivedMessage } from './session.js'
import { v2Decoder } from './v2-decoder.js'

export interface IngestionOptions {
  /** The broker: `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string
  /** Further options of mqtt.js, such as `username`, `password`, `ca`. */
  readonly client?: IClientOptions
  /** Names this deployment at the broker and in the database: its sessions and leases. @default 'autovolt' */
  readonly name?: string
  /**
   * Names this ingester among several that share topics; each needs its own. Of two with one name the second stands by.
   * @default 'main'
   */
  readonly instance?: string
  /** The group in which several ingesters share the topics that carry their own order; the broker must know `$share`. */
  readonly sharedSubscription?: string
  /** The protocols that are understood. @default the deployed firmware and version 2, with their defaults */
  readonly decoders?: readonly Decoder[]
  /** Device times before this one are not believed. @default 2020-01-01 */
  readonly earliestCredibleTime?: Date
  /** How long and how many unusable messages are kept. @default 30 days, 100,000 */
  readonly quarantine?: Partial<QuarantineLimits>
}

/**
 * What ingestion needs of a handle, whatever its entities are extended with. (To compare whole handles would cost a
 * consumer's type checker seconds.)
 */
export type IngestionHandle = Pick<
  AutoVolt,
  'database' | 'ledger' | 'activities' | 'quarantine' | 'powerSettings' | 'entityOf'
>

/** How ingestion is doing. */
export interface IngestionStatus {
  /** Whether each session is this process's, or another one holds it. */
  readonly sessions: Readonly<Record<'ordered' | 'shared', 'none' | 'standby' | 'connected' | 'disconnected'>>
  readonly received: number
  /** Messages that are durable. */
  readonly processed: number
  readonly acknowledged: number
  /** New ledger entries. */
  readonly entries: number
  /** Deliveries and events that were known already. */
  readonly repeated: number
  readonly quarantined: number
  /** Messages that are taken and not durable yet. */
  readonly pending: number
  /** Whether the socket is not being read, because the database does not keep up. */
  readonly isHolding: boolean
  /** How long the oldest of the pending messages has been waiting. */
  readonly lagMs: number
  /** Batches that had to be tried again. */
  readonly retries: number
  readonly lastError: string | null
}

const leaseDurationMs = 6_000
const pruneEveryMs = 60_000
const concurrentBatches = 2

/** Ingestion of one broker's messages into one database. Ended by whoever started it. */
export class Ingestion {
  readonly #parts: IngestionParts
  readonly #options: IngestionOptions
  readonly #decoders: DecoderSet
  readonly #counters = new IngestionCounters()
  readonly #limits: QuarantineLimits
  readonly #windows: string
  readonly #ordered: { readonly leased: LeasedSession; readonly lease: Lease } | undefined
  readonly #shared: LeasedSession | undefined
  readonly #sharedPipeline: SharedPipeline
  #orderedPipeline: OrderedPipeline | undefined
  readonly #ended = { received: 0, acknowledged: 0, retries: 0 }
  #pruning: NodeJS.Timeout | undefined

  constructor(volt: IngestionHandle, options: IngestionOptions) {
    const { database } = volt
    const name = options.name ?? 'autovolt'
    this.#options = options
    this.#decoders = new DecoderSet(options.decoders ?? [deployedDecoder(), v2Decoder()])
    this.#limits = { ...defaultQuarantineLimits, ...options.quarantine }
    this.#windows = volt.entityOf('ingestWindows').collection
    this.#parts = partsOf(volt, options)
    this.#sharedPipeline = new SharedPipeline(this.#parts, this.#counters)
    const lease = (of: string) =>
      new Lease(database, volt.entityOf('leases').collection, {
        name: `ingestion:${name}:${of}`,
        durationMs: leaseDurationMs,
      })
    if (this.#decoders.has('arrival')) {
      const held = lease('ordered')
      this.#ordered = {
        lease: held,
        leased: new LeasedSession(
          held,
          leaseDurationMs,
          () => this.#openOrdered(`${name}-ordered`, held),
          database.logger,
        ),
      }
    }
    if (this.#decoders.has('device')) {
      const clientId = `${name}-${options.instance ?? 'main'}`
      this.#shared = new LeasedSession(
        lease(`shared:${clientId}`),
        leaseDurationMs,
        () => this.#openShared(clientId),
        database.logger,
      )
    }
  }

  /** @throws DatabaseError if the broker refuses the connection. */
  async start(): Promise<void> {
    await this.#ordered?.leased.start()
    await this.#shared?.start()
    this.#pruning = setInterval(() => void this.#prune(), pruneEveryMs)
    this.#pruning.unref()
  }

  status(): IngestionStatus {
    const sessions = [this.#ordered?.leased.session, this.#shared?.session].filter((session) => session !== undefined)
    const sum = (pick: (session: MqttSession) => number) =>
      sessions.reduce((total, session) => total + pick(session), 0)
    const nowMs = this.#parts.database.clock.now().getTime()
    return {
      sessions: { ordered: stateOf(this.#ordered?.leased), shared: stateOf(this.#shared) },
      received: this.#ended.received + sum(({ received }) => received),
      processed: this.#counters.processed,
      acknowledged: this.#ended.acknowledged + sum(({ acknowledged }) => acknowledged),
      entries: this.#counters.entries,
      repeated: this.#counters.repeated,
      quarantined: this.#counters.quarantined,
      pending: sum(({ pending }) => pending),
      isHolding: sessions.some(({ isHolding }) => isHolding),
      lagMs: Math.max(0, ...sessions.map((session) => session.lagMs(nowMs))),
      retries: this.#ended.retries + sum(({ retries }) => retries),
      lastError: sessions.map(({ lastError }) => lastError).find((error) => error !== null) ?? null,
    }
  }

  /** How many messages are in quarantine, by reason, and how many were dropped from it for age or size. */
  async quarantineCounts() {
    return { byReason: await this.#parts.quarantine.countByReason(), dropped: await this.#parts.quarantine.dropped() }
  }

  /**
   * Takes quarantined messages as if they came now, oldest first; what can be used now leaves the quarantine. Messages whose
   * order is that of their arrival are skipped while another process holds their session.
   */
  replayQuarantine(filter: ReplayFilter = {}): Promise<ReplayResult> {
    const isHeld = this.#ordered?.leased.session !== undefined
    return new QuarantineReplay(
      this.#parts,
      this.#decoders,
      this.#sharedPipeline,
      isHeld ? this.#orderedPipeline : undefined,
    ).run(filter)
  }

  /** Finishes what was taken, and leaves the sessions to others. */
  async close(): Promise<void> {
    clearInterval(this.#pruning)
    await Promise.all([this.#ordered?.leased.stop(), this.#shared?.stop()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #openOrdered(clientId: string, lease: Lease): Promise<MqttSession> {
    const window = new IngestWindowStore(this.#parts.database, this.#windows, clientId)
    await window.load()
    const pipeline = new OrderedPipeline(this.#parts, this.#counters, lease, window)
    this.#orderedPipeline = pipeline
    return this.#open(clientId, 'arrival', {
      filters: this.#decoders.filters('arrival'),
      concurrency: 1,
      heardUntil: window.storedAt,
      process: (batch) => processIsolating(this.#decoders.decode(batch), (part) => pipeline.process(part)),
    })
  }

  #openShared(clientId: string): Promise<MqttSession> {
    const { sharedSubscription } = this.#options
    const prefix = sharedSubscription === undefined ? '' : `$share/${sharedSubscription}/`
    return this.#open(clientId, 'device', {
      filters: this.#decoders.filters('device').map((filter) => `${prefix}${filter}`),
      concurrency: concurrentBatches,
      heardUntil: undefined,
      process: (batch) => processIsolating(this.#decoders.decode(batch), (part) => this.#sharedPipeline.process(part)),
    })
  }

  async #open(
    clientId: string,
    order: Decoder['order'],
    own: {
      readonly filters: readonly string[]
      readonly concurrency: number
      readonly heardUntil: Date | undefined
      readonly process: (batch: readonly ReceivedMessage[]) => Promise<void>
    },
  ): Promise<MqttSession> {
    const session = new MqttSession({
      ...own,
      url: this.#options.url,
      clientId,
      client: this.#options.client ?? {},
      needsDigests: order === 'arrival',
      clock: this.#parts.database.clock,
      logger: this.#parts.database.logger,
    })
    await session.start()
    return session
  }

  async #prune(): Promise<void> {
    try {
      await this.#parts.quarantine.prune(this.#limits)
    } catch (error) {
      this.#parts.database.logger.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        'the quarantine could not be pruned',
      )
    }
  }
}

/**
 * Starts taking messages from a broker into the ledger.
 * @throws DatabaseError `KEY_RING` if the handle has no keys, `CONFIGURATION` if the broker refuses the connection.
 * @example
 * const ingestion = await startIngestion(volt, { url: 'mqtt://localhost:1883' })
 */
export async function startIngestion(volt: IngestionHandle, options: IngestionOptions): Promise<Ingestion> {
  void volt.database.keyRing
  const ingestion = new Ingestion(volt, options)
  await ingestion.start()
  return ingestion
}

function partsOf(volt: IngestionHandle, options: IngestionOptions): IngestionParts {
  const { database } = volt
  const devices = new DeviceRepository(database, volt.entityOf('devices') as typeof deviceEntity)
  return {
    database,
    devices,
    directory: new DeviceDirectory(
      devices,
      new Reader(database, volt.entityOf('classrooms') as typeof classroomEntity),
      database.clock,
    ),
    prices: new PriceSource(volt.powerSettings, database.clock),
    ledger: volt.ledger,
    activities: volt.activities,
    quarantine: new QuarantineStore(database, volt.quarantine, volt.entityOf('ingestCounters').collection),
    earliestCredibleMs: options.earliestCredibleTime?.getTime() ?? DEFAULT_EARLIEST_CREDIBLE_MS,
  }
}

function stateOf(leased: LeasedSession | undefined): IngestionStatus['sessions']['ordered'] {
  if (leased === undefined) return 'none'
  if (leased.session === undefined) return 'standby'
  return leased.session.isConnected ? 'connected' : 'disconnected'
}
