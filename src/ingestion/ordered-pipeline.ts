import type { Lease } from '../core/lease.js'
import { Turns } from '../core/turns.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import type { Budget } from './budget.js'
import type { IngestWindowStore } from './ingest-window-store.js'
import type { IngestionParts } from './ingestion-parts.js'
import { Lives } from './life/lives.js'
import { type DeliveredMessage, OrderedBatch } from './ordered-batch.js'
import { OrderedDevices } from './ordered-devices.js'
import { type Decoded, type IngestionCounters, namedBy } from './pipeline.js'
import type { Refusal } from './quarantine-store.js'
import { TelemetryMemory } from './telemetry-memory.js'

/** What is done with messages that cannot be used. */
type Keep = (refusals: readonly Refusal[]) => Promise<void>

/**
 * Takes messages whose only order is that of their arrival. One at a time may do so, under a lease; each batch is one
 * transaction, so that what was taken and what came of it can never part.
 */
export class OrderedPipeline {
  readonly #parts: IngestionParts
  readonly #counters: IngestionCounters
  readonly #lease: Lease
  readonly #window: IngestWindowStore
  readonly #devices: OrderedDevices
  readonly #lives: Lives
  readonly #telemetry = new TelemetryMemory()
  /** Messages that are durable: when the rest of their batch fails, the whole of it is handed in again. */
  readonly #done = new WeakSet<DeliveredMessage>()
  /** The messages of a batch that has failed: it may be stored all the same, if the answer to its commit was lost. */
  #inDoubt: readonly DeliveredMessage[] = []
  /** One batch at a time: each begins with what the one before has left. */
  readonly #turns = new Turns()

  constructor(parts: IngestionParts, counters: IngestionCounters, lease: Lease, window: IngestWindowStore) {
    this.#parts = parts
    this.#counters = counters
    this.#lease = lease
    this.#window = window
    this.#devices = new OrderedDevices(parts.ledger, parts.activities)
    this.#lives = new Lives(parts.database, parts.lives)
  }

  get budgets(): Readonly<Record<'deviceStates' | 'inFlight' | 'telemetry' | 'lives', Budget>> {
    return {
      deviceStates: this.#devices.budget,
      inFlight: this.#window.budget,
      telemetry: this.#telemetry.budget,
      lives: this.#lives.budget,
    }
  }

  /**
   * Makes the batch durable. Whatever it throws, the batch can be handed in again, also in parts.
   * @throws DatabaseError `LEASE_LOST` if another process has taken over.
   */
  async process(batch: readonly Decoded<DeliveredMessage>[]): Promise<void> {
    await this.#turns.take('batch', () => this.#run(batch, (refusals) => this.#parts.quarantine.add(refusals)))
  }

  /** As {@link process}, for quarantined messages. @returns those that still cannot be used. */
  replay(batch: readonly Decoded<DeliveredMessage>[]): Promise<readonly Refusal[]> {
    return this.#turns.take('batch', () => this.#run(batch, async () => undefined))
  }

  async #run(batch: readonly Decoded<DeliveredMessage>[], keep: Keep): Promise<readonly Refusal[]> {
    if (this.#inDoubt.length > 0) await this.#resolveDoubt()
    const pending = batch.filter(({ message }) => !this.#done.has(message))
    const fresh = new Set(this.#window.withoutTaken(pending.map(({ message }) => message)))
    const open = pending.filter(({ message }) => fresh.has(message))
    try {
      const { refusals, repeated } = await this.#take(open, keep)
      for (const { message } of pending) this.#done.add(message)
      this.#counters.repeated += repeated + pending.length - open.length
      this.#counters.processed += pending.length
      this.#counters.quarantined += refusals.length
      this.#devices.trim()
      return refusals
    } catch (error) {
      this.#inDoubt = [...fresh]
      this.#forget()
      throw error
    }
  }

  /** Asks the database whether the batch that has failed is stored. */
  async #resolveDoubt(): Promise<void> {
    if (await this.#window.reload()) for (const message of this.#inDoubt) this.#done.add(message)
    this.#inDoubt = []
  }

  async #take(
    open: readonly Decoded<DeliveredMessage>[],
    keep: Keep,
  ): Promise<{ readonly refusals: readonly Refusal[]; readonly repeated: number }> {
    if (open.length === 0) return { refusals: [], repeated: 0 }
    const { directory, prices, repeatedHours } = this.#parts
    await directory.prepare(namedBy(open))
    const repeated = await repeatedHours.place(open, directory)
    const batch = new OrderedBatch(this.#parts, this.#devices, this.#telemetry, await prices.prices(), repeated)
    for (const one of open) await batch.take(one)
    // Time series cannot be part of a transaction. Should it fail, they are stored again, and read once.
    await batch.series.store()
    const deliveries = open.flatMap(({ message }) => message.delivery ?? [])
    const lives = batch.presences.lives()
    const presences = batch.presences.all(this.#lives.growths(lives))
    const stored = await this.#parts.database.transactions.run(async () => {
      await this.#lease.guard()
      if (deliveries.length > 0) await this.#window.store(deliveries)
      await this.#parts.devices.recordPresence(presences)
      const notes: LedgerEvent[] = []
      await this.#lives.settle(lives, batch.prices, async (events) => {
        notes.push(...events)
        return []
      })
      const appended = await this.#parts.ledger.appendValid(batch.eventsWith(notes))
      const logged = await this.#parts.activities.record(batch.activities)
      const answered = await this.#parts.commandAnswers.take(batch.answers)
      await keep(batch.refusals)
      return { appended, logged, answered }
    })
    this.#parts.commandAnswers.announce(stored.answered)
    if (deliveries.length > 0) {
      this.#window.remember(deliveries)
      await this.#window.dropOld()
    }
    const known = stored.appended.filter(({ isNew }) => !isNew)
    // Where the ledger knew better than we did, ask it again.
    if (known.length > 0) this.#forget()
    this.#counters.entries += stored.appended.length - known.length
    this.#counters.note(batch.notes)
    this.#parts.deviceNotes.note(batch.presences.devices(), presences)
    this.#parts.deviceNotes.noteRefusals(batch.refusals, directory)
    // An event of a relay is in the activity log, whether or not an entry came of it.
    const readings = known.filter(({ entry }) => entry.eventType === 'power_reading').length
    return { refusals: batch.refusals, repeated: stored.logged + readings }
  }

  /** What was believed may not be in the database: believe only what is. */
  #forget(): void {
    this.#devices.forget()
    this.#lives.forget()
    this.#telemetry.forget()
    this.#parts.directory.clear()
  }
}
