import { ObjectId } from 'mongodb'
import type { z } from 'zod'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { requireBatch } from '../../core/repository/bulk.js'
import type { Slice } from '../../core/repository/page.js'
import { parseInputs } from '../../core/repository/parse-inputs.js'
import type { Reader } from '../../core/repository/reader.js'
import { TimeSeries } from '../../core/repository/time-series.js'
import { asZod } from '../../core/schema-like.js'
import { validateData } from '../../core/validate.js'
import type { Device } from '../../devices/device.js'
import { DeviceProfiles } from './device-profiles.js'
import { pageSchema, type SeriesPage, type SeriesRange, walkOf } from './range.js'
import type { TelemetryEvent, TelemetryEventInput } from './telemetry-event.js'

export interface TelemetryParts {
  readonly events: Entity<TelemetryEvent>
  readonly devices: Reader<Device>
}

/** Values of sensors and what devices say of themselves, in a time-series collection. */
export class TelemetryStore {
  readonly #entity: Entity<TelemetryEvent>
  readonly #series: TimeSeries<TelemetryEvent>
  readonly #profiles: DeviceProfiles

  constructor(database: Database, { events, devices }: TelemetryParts) {
    this.#entity = events
    this.#series = new TimeSeries(database, events, { identityOf, seriesOf: ({ meta }) => meta.device })
    this.#profiles = new DeviceProfiles(devices, database.clock)
  }

  /**
   * Stores events, at most 10,000 at a time; durable (majority, journaled) when it resolves. `meta.site` and `meta.owner` are taken from
   * the device where they are left out. One that is stored again is left out when it is read, if it agrees in device, switch, type,
   * name, instant, boot and sequence number.
   * @throws ValidationError if one of them is not valid, with paths such as `2.value`; then none is stored. DatabaseError `TRANSACTION` in a
   * transaction.
   */
  async insert(inputs: readonly TelemetryEventInput[]): Promise<void> {
    requireBatch(this.#entity, inputs)
    const schema = asZod(this.#entity.inputSchema) as z.ZodType<Omit<TelemetryEvent, '_id'> & { _id?: ObjectId }>
    const given = parseInputs(this.#entity, schema, inputs)
    const profiles = await this.#profiles.of(given.map(({ meta }) => meta.device))
    const documents = given.map((event) => {
      const profile = profiles.get(event.meta.device.toHexString())
      const { device, switch: of, owner = profile?.owner, site = profile?.classroom } = event.meta
      return { ...event, _id: event._id ?? new ObjectId(), meta: { device, switch: of, owner, site } }
    })
    await this.#series.insert(documents as TelemetryEvent[])
  }

  /** As {@link insert}, for what was built and validated by the library itself. @internal */
  insertValid(documents: readonly TelemetryEvent[]): Promise<void> {
    return this.#series.insert(documents)
  }

  /** A page of events, newest first unless the range says `order: 'oldest'`, without copies. @throws ValidationError. */
  async page(range: SeriesRange, page: SeriesPage = {}): Promise<Slice<TelemetryEvent>> {
    const { limit, cursor } = validateData(pageSchema, page, 'The page')
    return this.#series.page(walkOf<TelemetryEvent>(range), limit, cursor ?? undefined)
  }

  /** Everything in the range, fetched as it is consumed, without copies. @throws ValidationError. */
  async *stream(range: SeriesRange): AsyncGenerator<TelemetryEvent, void, undefined> {
    yield* this.#series.stream(walkOf<TelemetryEvent>(range))
  }
}

function identityOf({ meta, type, name = '', boot = '', sequence_no }: TelemetryEvent): string {
  return `${meta.device.toHexString()}|${meta.switch?.toHexString() ?? ''}|${type}|${sequence_no ?? ''}|${boot}|${name}`
}
