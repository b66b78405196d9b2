import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import { validateData } from '../core/validate.js'
import type { Device } from './device.js'
import { defaultOnlineWithinMs } from './device-state.js'

/** A device that was believed to be online and has said nothing. */
export interface SilentDevice {
  /** Its id. */
  readonly deviceId: ObjectId
  /** What people call it. */
  readonly name: string
  /** When its last message came. */
  readonly lastSeenAt: Date
}

export interface SilenceSweepOptions {
  /** How often devices are looked at. @default 60_000 */
  readonly everyMs?: number
  /** After which silence a device is marked `offline`. @default 300_000 */
  readonly silentMs?: number
  /** Called once for each silence, by the process that has marked the device. */
  readonly onSilent?: (device: SilentDevice) => void | Promise<void>
}

const options = z.strictObject({
  everyMs: z.int().min(100).max(86_400_000).default(60_000),
  silentMs: z
    .int()
    .min(1_000)
    .max(30 * 86_400_000)
    .default(defaultOnlineWithinMs),
  onSilent: z.custom<NonNullable<SilenceSweepOptions['onSilent']>>((value) => typeof value === 'function').optional(),
})

const devicesAtOnce = 500
type Seen = Pick<Device, '_id' | 'name'> & { readonly lastSeenAt: Date }

/**
 * Marks devices that say nothing any more. Any number of processes may sweep: a conditional update decides which of them has
 * marked a device. After a time in which no device at all was seen it is ingestion that was away, so the silence of each
 * is counted from the end of that time.
 */
export class SilenceSweep {
  readonly #database: Database
  readonly #devices: EntityCollection<Device>
  readonly #options: z.output<typeof options>
  /** Silence before this instant is nobody's. */
  #listeningSinceMs: number
  #wasListening = true

  /** @throws ValidationError for options that cannot be used. */
  constructor(database: Database, devices: EntityCollection<Device>, given: SilenceSweepOptions) {
    this.#database = database
    this.#devices = devices.for('sweepSilent')
    this.#options = validateData(options, given, 'The options')
    this.#listeningSinceMs = database.clock.now().getTime()
  }

  /** @returns a function that stops it and waits for its turn to end. */
  start(): () => Promise<void> {
    const { everyMs } = this.#options
    return this.#database.periodic.start({ name: 'silent devices', everyMs, work: (signal) => this.sweep(signal) })
  }

  async sweep(signal?: AbortSignal): Promise<void> {
    const { silentMs } = this.#options
    const nowMs = this.#database.clock.now().getTime()
    await this.#lookForIngestion(nowMs, silentMs)
    if (!this.#wasListening || nowMs - this.#listeningSinceMs <= silentMs) return
    const before = new Date(nowMs - silentMs)
    while (signal?.aborted !== true) {
      const found = await this.#devices.find<Seen>(
        { status: 'online', lastSeenAt: { $lt: before }, deletedAt: null },
        { sort: { lastSeenAt: 1 }, limit: devicesAtOnce, projection: { name: 1, lastSeenAt: 1 } },
      )
      for (const device of found) await this.#mark(device, new Date(nowMs))
      if (found.length < devicesAtOnce) return
    }
  }

  /** Whether messages come in at all; `listeningSince` is when they began to after a time without any. */
  async #lookForIngestion(nowMs: number, silentMs: number): Promise<void> {
    const newest = await this.#devices.find<Seen>(
      { lastSeenAt: { $type: 'date' } },
      { sort: { lastSeenAt: -1, _id: -1 }, limit: 1, projection: { lastSeenAt: 1 } },
    )
    const newestMs = newest[0]?.lastSeenAt.getTime() ?? 0
    const isListening = nowMs - newestMs <= silentMs
    if (isListening && !this.#wasListening) this.#listeningSinceMs = nowMs
    this.#wasListening = isListening
  }

  async #mark({ _id, name, lastSeenAt }: Seen, at: Date): Promise<void> {
    const { matched } = await this.#devices.updateOne({ _id, status: 'online', lastSeenAt }, [
      { $set: { status: 'offline', statusAt: { $max: ['$statusAt', at] } } },
    ])
    if (matched === 0) return
    try {
      await this.#options.onSilent?.({ deviceId: _id, name, lastSeenAt })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#database.logger.warn({ device: _id.toHexString(), reason }, 'the listener for silent devices failed')
    }
  }
}
