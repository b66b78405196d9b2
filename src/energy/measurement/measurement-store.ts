import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { instant, objectId } from '../../core/fields.js'
import { requireBatch } from '../../core/repository/bulk.js'
import type { Slice } from '../../core/repository/page.js'
import type { Reader } from '../../core/repository/reader.js'
import { TimeSeries, type Walk } from '../../core/repository/time-series.js'
import { validateData } from '../../core/validate.js'
import type { Device } from '../../devices/device.js'
import type { RegisterMarkStore } from '../register-marks/register-mark-store.js'
import { isInQuarterHours, type TouchedQuarter, touchedAt } from '../register-marks/touched-quarter.js'
import { type DeviceProfile, DeviceProfiles } from './device-profiles.js'
import type { EnergyMeasurement, Implausibility } from './measurement.js'
import { completed, type MeasurementInput, parseMeasurements } from './measurement-input.js'
import type { MeasurementMark } from './measurement-mark.js'
import { type MarkedMeasurement, MeasurementMarkStore, markKey } from './measurement-mark-store.js'
import { implausibilitiesOf } from './plausibility.js'
import { pageSchema, type SeriesPage, type SeriesRange, walkOf } from './range.js'
import { refusedMeasurement } from './refused-measurement.js'

/** A measurement as it is read. */
export type Measurement = EnergyMeasurement & {
  /** Whether somebody has validated it; see {@link MeasurementStore.markValidated}. */
  readonly validated: boolean
}

export interface InsertOptions {
  /**
   * What is done with a measurement that is beyond its channel's limits: stored with `implausible` and the quality `poor`, or
   * refused: its values are not stored, and the power before it ends there. @default 'flag'
   */
  readonly implausible?: 'flag' | 'refuse'
}

export interface InsertResult {
  readonly stored: number
  /** Those that were not plausible, if these are to be refused, by their places in the list. */
  readonly refused: readonly { readonly index: number; readonly reasons: readonly Implausibility[] }[]
}

export interface MeasurementParts {
  readonly measurements: Entity<EnergyMeasurement>
  readonly marks: Entity<MeasurementMark>
  readonly devices: Reader<Device>
  /** Where it is noted which quarter hours have got measurements that go to the ledger as registers. */
  readonly registerMarks: RegisterMarkStore
}

const optionsSchema = z.strictObject({ implausible: z.enum(['flag', 'refuse']).default('flag') })
const markSchema = z.strictObject({ validated: z.boolean().default(true), by: objectId().optional() })
/** The fields that distinguish measurements. */
const markedSchema = z.array(
  z.object({
    meta: z.object({ device: objectId(), switch: objectId().optional() }),
    timestamp: instant(),
    data_type: z.string().max(100),
    boot: z.string().max(100).optional(),
    sequence_no: z.number().optional(),
    quality: z.string().max(100),
  }),
)
const streamed = 1000

/**
 * Measurement store: what was measured, in a time-series collection. Measurements are added and expire; nothing changes
 * them.
 */
export class MeasurementStore {
  readonly #database: Database
  readonly #entity: Entity<EnergyMeasurement>
  readonly #series: TimeSeries<EnergyMeasurement>
  readonly #marks: MeasurementMarkStore
  readonly #profiles: DeviceProfiles
  readonly #registerMarks: RegisterMarkStore

  constructor(database: Database, { measurements, marks, devices, registerMarks }: MeasurementParts) {
    this.#database = database
    this.#entity = measurements
    this.#series = new TimeSeries(database, measurements, { identityOf, seriesOf: ({ meta }) => meta.device })
    this.#marks = new MeasurementMarkStore(database, marks)
    this.#profiles = new DeviceProfiles(devices, database.clock)
    this.#registerMarks = registerMarks
  }

  /**
   * Stores measurements, at most 10,000 at a time; durable (majority, journaled) when it resolves. `data_type`, `meta.site` and
   * `meta.owner` are taken from the device where they are left out. One that is stored again is left out when it is read, if it agrees in
   * device, switch, data type, instant, boot and sequence number.
   * @throws ValidationError if one of them is not valid, with paths such as `2.power`; then none is stored. DatabaseError `TRANSACTION` in a
   * transaction.
   * @example
   * await volt.measurements.insert([{ timestamp: new Date(), meta: { device: device._id }, power: 61.5 }])
   */
  async insert(inputs: readonly MeasurementInput[], options: InsertOptions = {}): Promise<InsertResult> {
    const { implausible } = validateData(optionsSchema, options, 'The options')
    requireBatch(this.#entity, inputs)
    const given = parseMeasurements(this.#entity, inputs)
    const profiles = await this.#profiles.of(given.map(({ meta }) => meta.device))
    const documents = completed(this.#entity, given, profiles)
    const nowMs = this.#database.clock.now().getTime()
    const refused: { index: number; reasons: Implausibility[] }[] = []
    const stored = documents.flatMap((document, index) => {
      const profile = profiles.get(document.meta.device.toHexString())
      const channel = profile?.switches.find(({ _id }) => _id.equals(document.meta.switch)) ?? {}
      const reasons = implausibilitiesOf(document, channel, nowMs)
      if (reasons.length === 0) return [document]
      if (implausible === 'flag') return [{ ...document, quality: 'poor' as const, implausible: reasons }]
      refused.push({ index, reasons })
      return document.power === undefined ? [] : [refusedMeasurement(document, reasons, nowMs)]
    })
    await this.insertValid(stored, touchedBy(stored, profiles))
    return { stored: inputs.length - refused.length, refused }
  }

  /**
   * As {@link insert}, for what was built and validated by the library itself. @internal
   * @param touched The quarter hours whose registers these are for.
   */
  async insertValid(documents: readonly EnergyMeasurement[], touched: readonly TouchedQuarter[]): Promise<void> {
    await this.#series.insert(documents)
    // Not before: a worker that takes the register meanwhile would remove the mark without having seen the measurements.
    await this.#registerMarks.touch(touched)
  }

  /** The measurements of a walk, those that were refused included, without copies and without what is kept beside them. @internal */
  walk(walk: Walk<EnergyMeasurement>): AsyncGenerator<EnergyMeasurement, void, undefined> {
    return this.#series.stream(walk)
  }

  /**
   * A page of measurements, newest first unless the range says `order: 'oldest'`, without copies.
   * @throws ValidationError for a range without switch, device, site and owner, or a cursor of another order.
   */
  async page(range: SeriesRange, page: SeriesPage = {}): Promise<Slice<Measurement>> {
    const { limit, cursor } = validateData(pageSchema, page, 'The page')
    const slice = await this.#series.page(acceptedIn(range), limit, cursor ?? undefined)
    return { ...slice, items: await this.#withMarks(slice.items) }
  }

  /** Everything in the range, fetched as it is consumed, without copies. @throws ValidationError. */
  async *stream(range: SeriesRange): AsyncGenerator<Measurement, void, undefined> {
    let batch: EnergyMeasurement[] = []
    for await (const measurement of this.#series.stream(acceptedIn(range))) {
      batch.push(measurement)
      if (batch.length < streamed) continue
      yield* await this.#withMarks(batch)
      batch = []
    }
    yield* await this.#withMarks(batch)
  }

  /**
   * Marks measurements, as they were read, as validated, or takes that back; at most 10,000 at a time. Takes part in the caller's
   * transaction.
   */
  async markValidated(
    measurements: readonly EnergyMeasurement[],
    mark: { readonly validated?: boolean; readonly by?: ObjectId | string } = {},
  ): Promise<void> {
    requireBatch(this.#entity, measurements)
    const { validated, by } = validateData(markSchema, mark, 'The mark')
    const marked = validateData(markedSchema, measurements, 'The measurements')
    await this.#marks.set(marked.map(markedOf), { validated, validated_by: by })
  }

  async #withMarks(measurements: readonly EnergyMeasurement[]): Promise<Measurement[]> {
    const marked = measurements.map(markedOf)
    const validated = await this.#marks.validated(marked)
    return measurements.map((measurement, at) => ({
      ...measurement,
      validated: validated.size > 0 && validated.has(markKey(marked[at] as MarkedMeasurement)),
    }))
  }
}

function acceptedIn(range: SeriesRange): Walk<EnergyMeasurement> {
  const walk = walkOf<EnergyMeasurement>(range)
  return { ...walk, query: { ...walk.query, quality: { $ne: 'refused' } } }
}

function touchedBy(
  measurements: readonly EnergyMeasurement[],
  profiles: ReadonlyMap<string, DeviceProfile>,
): TouchedQuarter[] {
  return measurements.flatMap(({ meta, timestamp }) => {
    const device = profiles.get(meta.device.toHexString())
    const channel = device?.switches.find(({ _id }) => _id.equals(meta.switch))
    if (device === undefined || channel === undefined || !isInQuarterHours(device, channel)) return []
    return [touchedAt(device, channel._id, timestamp.getTime())]
  })
}

type Identifying = z.output<typeof markedSchema>[number]

function markedOf(measurement: Identifying): MarkedMeasurement {
  const { meta, timestamp } = measurement
  return { device: meta.device, timestamp, identity: identityOf(measurement) }
}

/**
 * What distinguishes a measurement from others of its instant; the device is in it, for an instant may have several. One that was
 * refused is no copy of the same one that is accepted another time.
 */
function identityOf({ meta, data_type, boot = '', sequence_no, quality }: Identifying): string {
  const identity = `${meta.device.toHexString()}|${meta.switch?.toHexString() ?? ''}|${data_type}|${sequence_no ?? ''}|${boot}`
  return quality === 'refused' ? `${identity}|refused` : identity
}
