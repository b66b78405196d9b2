import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Device } from '../../devices/device.js'
import { type LifeNote, notesOf } from './life-note.js'
import { type LifeSign, type LifeSpan, withSigns } from './life-span.js'
import type { StoredLifeSpan } from './life-span-entity.js'

/** As much of a device's document as its signs of life need. */
export type AliveDevice = Pick<Device, '_id' | 'alive' | 'lastSignOfLifeAt' | 'switches'>

const alivePart = { alive: 1, lastSignOfLifeAt: 1, 'switches._id': 1, 'switches.state': 1 } as const
/** So many spans before a sign tell whether its run was followed by another one. */
const spansBefore = 4

/** Keeps the spans of devices. The last span of each is in its document, so that growing it is no write of its own. */
export class LifeStore {
  readonly #devices: EntityCollection<Device>
  readonly #spans: EntityCollection<StoredLifeSpan>

  constructor(devices: EntityCollection<Device>, spans: EntityCollection<StoredLifeSpan>) {
    this.#devices = devices
    this.#spans = spans
  }

  async read(deviceIds: readonly ObjectId[]): Promise<Map<string, AliveDevice>> {
    const filter = { _id: { $in: deviceIds } }
    const options = { projection: alivePart, batchSize: deviceIds.length + 1 }
    const found = await this.#devices.for('signs of life').find<AliveDevice>(filter, options)
    return new Map(found.map((device) => [device._id.toHexString(), device]))
  }

  /**
   * Puts the signs among the spans of a device. To be called in a transaction, in which the device was read: another one that
   * changes its spans changes its document as well, and one of the two begins anew.
   * @returns what the ledger has to know of them.
   */
  async add(device: AliveDevice, signs: readonly LifeSign[], gapLimitMs: number): Promise<LifeNote[]> {
    const current = currentSpanOf(device)
    const closed = await this.#around(device._id, signs)
    const before = current === undefined ? closed : [...closed, current]
    const after = withSigns(before, signs, gapLimitMs)
    await this.#replace(device._id, closed, after.slice(0, -1))
    const last = after.at(-1)
    if (last !== undefined) await this.#setCurrent(device._id, last)
    return notesOf(before, after)
  }

  /** The spans in which the signs lie or that they lie between, but for the last one. */
  async #around(device: ObjectId, signs: readonly LifeSign[]): Promise<LifeSpan[]> {
    const times = signs.map(({ atMs }) => atMs)
    const [first, last] = [new Date(Math.min(...times)), new Date(Math.max(...times))]
    const spans = this.#spans.for('signs of life')
    const earlier = await spans.find({ device, from: { $lte: first } }, { sort: { from: -1 }, limit: spansBefore })
    const among = await spans.find({ device, from: { $gt: first, $lte: last } }, { sort: { from: 1 } })
    const later = await spans.find({ device, from: { $gt: last } }, { sort: { from: 1 }, limit: 1 })
    return [...earlier.toReversed(), ...among, ...later].map(({ from, to, boot }) => ({
      fromMs: from.getTime(),
      toMs: to.getTime(),
      boot,
    }))
  }

  async #replace(device: ObjectId, before: readonly LifeSpan[], after: readonly LifeSpan[]): Promise<void> {
    const stays = new Set(after)
    const wasThere = new Set(before)
    await this.#spans
      .for('signs of life')
      .bulkWrite([
        ...before
          .filter((span) => !stays.has(span))
          .map(({ fromMs }) => ({ delete: { device, from: new Date(fromMs) } })),
        ...after
          .filter((span) => !wasThere.has(span))
          .map(({ fromMs, toMs, boot }) => ({ insert: { device, from: new Date(fromMs), to: new Date(toMs), boot } })),
      ])
  }

  async #setCurrent(_id: ObjectId, { fromMs, toMs, boot }: LifeSpan): Promise<void> {
    const alive = {
      since: new Date(fromMs),
      boot: boot === undefined ? '$$REMOVE' : { $literal: boot },
      // Without a change of the document two that change its other spans at once would both succeed.
      changes: { $add: [{ $ifNull: ['$alive.changes', 0] }, 1] },
    }
    // A pipeline: what ingestion learns is no new version of the document.
    await this.#devices.for('signs of life').updateOne({ _id }, [{ $set: { alive, lastSignOfLifeAt: new Date(toMs) } }])
  }
}

/** The span that a device is in, as its document says; undefined if it has shown no sign of life. */
export function currentSpanOf({
  alive,
  lastSignOfLifeAt,
}: Omit<AliveDevice, '_id' | 'switches'>): LifeSpan | undefined {
  if (lastSignOfLifeAt === undefined) return undefined
  const toMs = lastSignOfLifeAt.getTime()
  return { fromMs: Math.min(alive?.since.getTime() ?? toMs, toMs), toMs, boot: alive?.boot }
}

/** Whether the signs say nothing that is not known. */
export function areWithin(span: LifeSpan | undefined, signs: readonly LifeSign[]): boolean {
  if (span === undefined) return signs.length === 0
  return signs.every(({ atMs, boot }) => {
    const isOfRun = boot === undefined || boot === span.boot
    return isOfRun && span.fromMs <= atMs && atMs <= span.toMs
  })
}
