import type { Appended } from '../ledger/append/append-call.js'
import type { Budget } from './budget.js'
import { BatchRuns, devicesWithRuns } from './freshness/batch-runs.js'
import type { IngestionParts } from './ingestion-parts.js'
import { Lives } from './life/lives.js'
import { type Decoded, type IngestionCounters, namedBy, reportsOf } from './pipeline.js'
import type { Refusal } from './quarantine-store.js'
import { SharedBatch } from './shared-batch.js'
import { TelemetryMemory } from './telemetry-memory.js'

/**
 * Takes messages that carry time, boot, sequence and identity of their own. Any number of these may work on one database:
 * every step can be repeated without effect.
 */
export class SharedPipeline {
  readonly #parts: IngestionParts
  readonly #counters: IngestionCounters
  readonly #lives: Lives
  readonly #telemetry = new TelemetryMemory()

  constructor(parts: IngestionParts, counters: IngestionCounters) {
    this.#parts = parts
    this.#counters = counters
    this.#lives = new Lives(parts.database, parts.lives)
  }

  get budgets(): Readonly<Record<'telemetry' | 'lives', Budget>> {
    return { telemetry: this.#telemetry.budget, lives: this.#lives.budget }
  }

  /** Makes the batch durable. Whatever it throws, the batch can be handed in again. */
  async process(batch: readonly Decoded[]): Promise<void> {
    await this.#run(batch, (refusals) => this.#parts.quarantine.add(refusals))
  }

  /**
   * As {@link process}, for quarantined messages: those that were not refused as `not_fresh` are facts of the time when they
   * came. @returns those that still cannot be used.
   */
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
      this.#counters.repeated += collected.repeated
      this.#counters.note(collected.notes)
      this.#parts.deviceNotes.noteRefusals(collected.refusals, this.#parts.directory)
      return collected.refusals
    } catch (error) {
      // What was noticed while collecting has not become durable, and is to be noticed again.
      this.#lives.forget()
      this.#telemetry.forget()
      this.#parts.directory.clear()
      throw error
    }
  }

  async #collect(messages: readonly Decoded[]): Promise<SharedBatch> {
    const reports = reportsOf(messages)
    const { directory, prices, repeatedHours, runs } = this.#parts
    await directory.prepare(namedBy(messages))
    const devices = devicesWithRuns(reports, (device) => directory.find(device))
    const batch = new SharedBatch(
      this.#parts,
      this.#telemetry,
      await prices.prices(),
      await repeatedHours.place(messages, directory),
      new BatchRuns(await runs.read(devices)),
    )
    for (const { message, decoding } of messages) {
      if (!('reports' in decoding)) {
        batch.refusals.push({ message, ...decoding })
        continue
      }
      for (const report of decoding.reports) {
        const accepted = batch.accept(message, report)
        if (accepted !== undefined) batch.take(accepted)
      }
    }
    batch.noteRuns()
    return batch
  }

  async #store({
    events,
    activities,
    presences,
    answers,
    installFailures,
    series,
    prices,
  }: SharedBatch): Promise<void> {
    // Before the runs are stored, by which a message that is delivered again is known.
    const [appending, storing, answering] = await Promise.allSettled([
      this.#parts.ledger.appendValid(events),
      series.store(),
      this.#answer(answers),
    ])
    if (appending.status === 'rejected') throw appending.reason
    if (storing.status === 'rejected') throw storing.reason
    if (answering.status === 'rejected') throw answering.reason
    await this.#parts.activities.record(activities)
    for (const { rollout, device, reason } of installFailures)
      await this.#parts.firmware.reportFailure(rollout, device, reason)
    const lives = presences.lives()
    const learnt = presences.all(this.#lives.growths(lives))
    await this.#parts.devices.recordPresence(learnt)
    const noted = await this.#lives.settle(lives, prices, (notes) => this.#parts.ledger.appendValid(notes))
    this.#parts.deviceNotes.note(presences.devices(), learnt)
    const appended = appending.value
    this.#counters.entries += countNew(appended) + countNew(noted)
    this.#counters.repeated += appended.length - countNew(appended)
  }

  /** Those who wait in this process are woken at once. */
  async #answer(answers: SharedBatch['answers']): Promise<void> {
    const { commandAnswers } = this.#parts
    commandAnswers.announce(await commandAnswers.take(answers))
  }
}

function countNew(appended: readonly Appended[]): number {
  return appended.filter(({ isNew }) => isNew).length
}
