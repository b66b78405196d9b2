import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { BestEffort, type BestEffortCounts } from '../core/best-effort.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { anyValue, instant, objectId } from '../core/fields.js'
import { requireOpenData } from '../core/repository/data.js'
import { Reader } from '../core/repository/reader.js'
import { validateData } from '../core/validate.js'
import { type DeviceLogEntry, deviceLogKinds } from './device-log-entry.js'

const inputSchema = z.strictObject({
  /** The device that it happened to. */
  device: objectId(),
  /** `connected`, `rebooted` and others of the library's, or your own. */
  kind: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/, { error: 'expected a word such as `rebooted`' }),
  /** @default that of the kind; `info` for your own */
  level: z.enum(['info', 'warning', 'error']).optional(),
  /** What to read, in a sentence. */
  message: z.string().max(1_000).optional(),
  /** What else is known of it. */
  details: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue()).optional(),
  /** @default now */
  at: instant().optional(),
  /** An event that is reported again with the same key is logged once. */
  key: z.string().min(1).max(200).optional(),
})

/** Device log input: what happened to a device. */
export type DeviceLogInput = z.input<typeof inputSchema>

/** What happened to devices, newest first or by device and kind; written beside what it reports, changed by nobody. */
export class DeviceLog extends Reader<DeviceLogEntry> {
  readonly #logged: BestEffort<Omit<DeviceLogEntry, '_id'>>

  constructor(database: Database, entity: Entity<DeviceLogEntry>, documents?: EntityCollection<DeviceLogEntry>) {
    super(database, entity, documents)
    const write = (entries: readonly Omit<DeviceLogEntry, '_id'>[]) => this.#write(entries)
    this.#logged = new BestEffort(database, { name: 'the device log', write, atOnce: 500 })
  }

  /** @internal */
  override over(documents: EntityCollection<DeviceLogEntry>): DeviceLog {
    return new DeviceLog(this.database, this.entity, documents)
  }

  /**
   * Logs what happened, beside the work that it reports: it does not wait, and what cannot be written is counted in {@link logged}. In a
   * transaction it is logged once that has committed. @throws ValidationError.
   */
  log(input: DeviceLogInput): void {
    const { level, at, key, ...entry } = validateData(inputSchema, input, 'The entry of the device log')
    requireOpenData(this.entity, entry, 'The entry of the device log')
    this.#logged.add({
      ...entry,
      level: level ?? levelOf(entry.kind),
      at: at ?? this.database.clock.now(),
      key: key ?? new ObjectId().toHexString(),
    })
  }

  /** What became of what was logged, since the start of this process. */
  logged(): BestEffortCounts {
    return this.#logged.counts()
  }

  async #write(entries: readonly Omit<DeviceLogEntry, '_id'>[]): Promise<void> {
    const writes = entries.map((entry) => ({
      update: { device: entry.device, key: entry.key },
      by: { $setOnInsert: entry },
      upsert: true,
    }))
    await this.documents.for('log').bulkWrite(writes, { isUnordered: true })
  }
}

function levelOf(kind: string): DeviceLogEntry['level'] {
  return Object.entries(deviceLogKinds).find(([name]) => name === kind)?.[1] ?? 'info'
}
