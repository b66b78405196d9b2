import { type Decoded, type IngestionCounters, type IngestionParts, reportsOf } from './pipeline.js'
import { PresenceMemory } from './presence-memory.js'
import type { Refusal } from './quarantine-store.js'
import { SharedBatch } from './shared-batch.js'
import { SilenceWatch } from './silence-watch.js'
import { TelemetryMemory } from './telemetry-memory.js'

/**
 * Takes messages that carry time, boot, sequence and identity of their own. Any number of these may work on one database:
 * every step can be repeated without effect.
 */
export class SharedPipeline {
  readonly #parts: IngestionParts
  readonly #counters: IngestionCounters
  readonly #silence: SilenceWatch
  readonly #memory = new PresenceMemory()
  readonly #telemetry = new TelemetryMemory()

  constructor(parts: IngestionParts, counters: IngestionCounters) {
    this.#parts = parts
    this.#counters = counters
    this.#silence = new SilenceWatch(parts)
  }

  /** Makes the batch durable. Whatever it throws, the batch can be handed in again. */
  async process(batch: readonly Decoded[]): Promise<void> {
    await this.#run(batch, (refusals) => this.#parts.quarantine.add(refusals))
  }

  /** As {@link process}, for quarantined messages. @returns those that still cannot be used. */
  replay(batch: readonly Decoded[]): Promise<readonly Refusal[]> {
    return this.#run(batch, async () => undefined)
  }

  async #run(
    batch: readonly Decoded[],
    keep: (refusals: readonly Refusal[]) => Promise<void>,
  ): Promise<readonly Refusal[]> {
    try {
      const collected = await this.#collect(batch)
      await this.#store(collected)
      await keep(collected.refusals)
      this.#counters.processed += batch.length
      this.#counters.quarantined += collected.refusals.length
      return collected.refusals
    } catch (error) {
      // What was noticed while collecting has not become durable, and is to be noticed again.
      this.#silence.forget()
      this.#telemetry.forget()
      this.#parts.directory.clear()
      throw error
    }
  }

  async #collect(messages: readonly Decoded[]): Promise<SharedBatch> {
    const reports = reportsOf(messages)
    await this.#parts.directory.prepare(reports)
    const batch = new SharedBatch(this.#parts, this.#memory, this.#telemetry, await this.#parts.prices.prices())
    for (const { message, decoding } of messages) {
      if (!('reports' in decoding)) {
        batch.refusals.push({ message, ...decoding })
        continue
      }
      for (const report of decoding.reports) {
        const heard = batch.hear(message, report)
        if (heard === undefined) continue
        const silence = this.#silence.notice(heard)
        // Only here: waiting for nothing, message by message, takes its time too.
        if (silence !== undefined) batch.events.push(...(await this.#silence.eventsOf(silence, batch.prices)))
        batch.take(heard)
      }
    }
    return batch
  }

  async #store({ events, activities, presences, series }: SharedBatch): Promise<void> {
    const [appending, storing] = await Promise.allSettled([this.#parts.ledger.appendValid(events), series.store()])
    if (appending.status === 'rejected') throw appending.reason
    if (storing.status === 'rejected') throw storing.reason
    const appended = appending.value
    const fresh = appended.filter(({ isNew }) => isNew).length
    await this.#parts.activities.record(activities)
    const news = presences.all()
    await this.#parts.devices.recordPresence(news)
    this.#memory.stored(news)
    this.#counters.entries += fresh
    this.#counters.repeated += appended.length - fresh
  }
}
