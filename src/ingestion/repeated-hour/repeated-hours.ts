import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import { retryStale, StaleReadError } from '../../core/retry-on-conflict.js'
import type { Device } from '../../devices/device.js'
import { instantOfLocalTime, latestCredibleMs } from '../../metering/index.js'
import type { DeviceDirectory, KnownDevice } from '../device-directory.js'
import type { DeviceReport, Unusable } from '../report.js'
import {
  decide,
  type PlacedMessage,
  type RepeatedMessage,
  type RepeatedTime,
  type RunMarks,
  withPlaced,
} from './run-marks.js'

/** A message with what its decoder made of it, as far as it matters here. */
interface Decoded {
  readonly message: { readonly receivedAt: Date }
  readonly decoding: { readonly reports: readonly DeviceReport[] } | Unusable
}

interface Repeated {
  readonly report: DeviceReport
  readonly message: RepeatedMessage
}

type StoredRuns = NonNullable<Device['repeatedHour']>

const noReports: ReadonlyMap<DeviceReport, RepeatedTime> = new Map()

/**
 * Decides which instants the local times of devices mean in the hour that clocks show twice. What decides is kept in the
 * device's document, for this and every other process, and before the batch: a message that is delivered again is placed where
 * it was.
 */
export class RepeatedHours {
  readonly #database: Database
  readonly #devices: EntityCollection<Device>

  constructor(database: Database, devices: EntityCollection<Device>) {
    this.#database = database
    this.#devices = devices
  }

  /** @returns the times of those of the batch's reports that have two instants. Costs nothing where none has. */
  async place(batch: readonly Decoded[], directory: DeviceDirectory): Promise<ReadonlyMap<DeviceReport, RepeatedTime>> {
    const found = repeatedOf(batch, directory)
    if (found.size === 0) return noReports
    const placed = await Promise.all(
      [...found.values()].map(({ id, reports }) => retryStale(this.#database, () => this.#placeAll(id, reports))),
    )
    return new Map(placed.flat())
  }

  async #placeAll(_id: ObjectId, reports: readonly Repeated[]): Promise<[DeviceReport, RepeatedTime][]> {
    const devices = this.#devices.for('repeated hour')
    const device = await devices.findOne<Pick<Device, 'repeatedHour'>>({ _id }, { projection: { repeatedHour: 1 } })
    const before = (device?.repeatedHour ?? []).map(toMarks)
    let runs: readonly RunMarks[] = before
    const times = reports.map(({ report, message }): [DeviceReport, RepeatedTime] => {
      const time = decide(runs, message)
      runs = withPlaced(runs, message, time)
      return [report, time]
    })
    if (device === null || runs === before) return times
    const isAsRead = { repeatedHour: device.repeatedHour ?? { $exists: false } }
    // A pipeline: what ingestion learns is no new version of the document.
    const update = [{ $set: { repeatedHour: { $literal: runs.map(toStored) } } }]
    const { matched } = await devices.updateOne({ _id, ...isAsRead }, update)
    if (matched === 0) throw new StaleReadError('Another process has placed messages of the device')
    return times
  }
}

/** The reports with a repeated time that are their devices', by the devices' ids, in the order in which they were sent. */
function repeatedOf(
  batch: readonly Decoded[],
  directory: DeviceDirectory,
): Map<string, { readonly id: ObjectId; readonly reports: Repeated[] }> {
  const found = new Map<string, { readonly id: ObjectId; readonly reports: Repeated[] }>()
  for (const { message, decoding } of batch) {
    for (const report of 'reports' in decoding ? decoding.reports : []) {
      if (report.time?.kind !== 'local') continue
      const device = directory.find(report.device)
      if (device === undefined || !directory.isAuthentic(report.credential, device)) continue
      const repeated = repeatedMessage(report, report.time.text, device, message.receivedAt.getTime())
      if (repeated === undefined) continue
      const key = device.id.toHexString()
      const { reports } = found.get(key) ?? { reports: [] }
      found.set(key, { id: device.id, reports: [...reports, { report, message: repeated }] })
    }
  }
  for (const { reports } of found.values()) {
    reports.sort((a, b) => (a.message.sequence ?? 0) - (b.message.sequence ?? 0))
  }
  return found
}

function repeatedMessage(
  { boot, sequence }: DeviceReport,
  text: string,
  { timeZone }: KnownDevice,
  arrivalMs: number,
): RepeatedMessage | undefined {
  const first = instantOfLocalTime(text, timeZone)
  if (first?.ambiguous !== true) return undefined
  const second = instantOfLocalTime(text, timeZone, { second: true }) ?? first
  const latestMs = latestCredibleMs(arrivalMs)
  return { boot, sequence, firstMs: first.instantMs, secondMs: second.instantMs, latestMs }
}

function toMarks({ boot, first, second }: StoredRuns[number]): RunMarks {
  return { boot, first: first && toPlaced(first), second: second && toPlaced(second) }
}

function toPlaced({ sequence, at }: { readonly sequence: number; readonly at: Date }): PlacedMessage {
  return { sequence, atMs: at.getTime() }
}

function toStored({ boot, first, second }: RunMarks): StoredRuns[number] {
  return {
    ...(boot !== undefined && { boot }),
    ...(first !== undefined && { first: { sequence: first.sequence, at: new Date(first.atMs) } }),
    ...(second !== undefined && { second: { sequence: second.sequence, at: new Date(second.atMs) } }),
  }
}
