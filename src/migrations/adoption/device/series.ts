import type { Document, ObjectId } from 'mongodb'
import type { z } from 'zod'
import { compiled } from '../../../core/compiled-schema.js'
import { asZod } from '../../../core/schema-like.js'
import { issuesOf } from '../../../core/validate.js'
import { type MeasurementInput, measurementInputSchema } from '../../../energy/measurement/measurement-input.js'
import { type TelemetryEventInput, telemetryEventEntity } from '../../../energy/measurement/telemetry-event.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { idKey, shownId } from '../map/values.js'

const batchSize = 1_000

type Timed = { readonly _id?: unknown; readonly timestamp: Date | string; readonly data_type?: string | undefined }

/** What is in a time series already. */
export interface Here {
  readonly _id: ObjectId
  readonly timestamp: Date
  readonly data_type?: string
}

/** How documents of one kind are kept in a time series. */
interface SeriesKind<Input extends Timed> {
  readonly key: 'measurements' | 'telemetryEvents'
  readonly schema: z.ZodType
  /** What is there of a device, both ends included. */
  readonly here: (device: ObjectId, from: Date, to: Date) => AsyncIterable<Here>
  readonly insert: (inputs: Input[]) => Promise<unknown>
  /** What an adoption would have stored before at these instants, from another collection: an assessment does not find it. */
  readonly before?: ((instants: readonly Date[]) => AsyncIterable<Here>) | undefined
}

/** Adopts what a device has measured or reported, in order of time, each once. */
class SeriesAdoption<Input extends Timed> {
  readonly #device: AdoptedDevice
  readonly #context: AdoptionContext
  readonly #collection: string
  readonly #kind: SeriesKind<Input>
  #waiting: { readonly input: Input; readonly document: Document; readonly key: string }[] = []
  #last = { timestampMs: Number.NaN, byKind: new Map<string, string>() }

  constructor(device: AdoptedDevice, context: AdoptionContext, collection: string, kind: SeriesKind<Input>) {
    this.#device = device
    this.#context = context
    this.#collection = collection
    this.#kind = kind
  }

  /** Takes what a document becomes, if it fits. To be called in the order of time. */
  async add(document: Document, input: Input): Promise<void> {
    const parsed = this.#kind.schema.safeParse(input)
    if (!parsed.success) {
      const reasons = issuesOf(parsed.error, input).map(({ path, message }) => `${path}: ${message}`)
      return this.#context.leave(this.#collection, document, reasons.slice(0, 5).join('; '))
    }
    const timestampMs = new Date(input.timestamp).getTime()
    if (timestampMs !== this.#last.timestampMs) this.#last = { timestampMs, byKind: new Map() }
    const kind = input.data_type ?? ''
    const other = this.#last.byKind.get(kind)
    if (other !== undefined) return this.#context.leave(this.#collection, document, sameInstant(other))
    this.#last.byKind.set(kind, idKey(document._id))
    this.#waiting.push({ input, document, key: `${timestampMs} ${kind}` })
    if (this.#waiting.length >= batchSize) await this.flush()
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    const [first, last] = [waiting[0], waiting.at(-1)]
    if (first === undefined || last === undefined) return
    const { store, tally } = this.#context
    const here = new Map<string, string>()
    const keep = async (found: AsyncIterable<Here>) => {
      for await (const one of found)
        here.set(`${one.timestamp.getTime()} ${one.data_type ?? ''}`, one._id.toHexString())
    }
    const span = [new Date(first.input.timestamp), new Date(last.input.timestamp)] as const
    await keep(this.#kind.here(this.#device.input._id, ...span))
    const { before } = this.#kind
    if (store === undefined && before !== undefined)
      await keep(before(waiting.map(({ input }) => new Date(input.timestamp))))
    const missing: Input[] = []
    for (const { input, document, key } of waiting) {
      const other = here.get(key)
      if (other === undefined) missing.push(input)
      else if (other !== shownId(input._id)) this.#context.leave(this.#collection, document, sameInstant(other))
      if (other === undefined || other === shownId(input._id)) tally.adopt(this.#kind.key)
    }
    if (store === undefined) return
    if (missing.length > 0) await this.#kind.insert(missing)
    await store.flush()
  }
}

export function measurementSeries(
  device: AdoptedDevice,
  context: AdoptionContext,
  collection: string,
  before?: SeriesKind<MeasurementInput>['before'],
) {
  const { measurements } = context.needs
  return new SeriesAdoption<MeasurementInput>(device, context, collection, {
    key: 'measurements',
    schema: compiled(measurementInputSchema),
    here: (of, from, to) =>
      measurements.walk({
        query: { 'meta.device': of, timestamp: { $gte: from, $lte: to } },
        direction: 1,
        fromPrimary: true,
      }),
    insert: (inputs) => measurements.insert(inputs),
    before,
  })
}

export function telemetrySeries(device: AdoptedDevice, context: AdoptionContext, collection: string) {
  const { telemetry } = context.needs
  return new SeriesAdoption<TelemetryEventInput>(device, context, collection, {
    key: 'telemetryEvents',
    schema: compiled(asZod(telemetryEventEntity.inputSchema)),
    here: (of, from, to) => telemetry.stream({ device: of, from, to: new Date(to.getTime() + 1), order: 'oldest' }),
    insert: (inputs) => telemetry.insert(inputs),
  })
}

function sameInstant(other: string): string {
  return `reports the same instant as ${other}`
}
