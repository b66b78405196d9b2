import type { Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { DeviceInput } from '../../devices/device.js'
import type { FindingStore } from './findings.js'
import type { Finding } from './map/mapped.js'
import type { AdoptedSwitch } from './map/switches.js'
import { idKey } from './map/values.js'
import type { ParsedAdoption } from './options.js'
import type { Origin } from './origin.js'
import type { Registry } from './read-registry.js'
import type { Tally } from './report.js'
import type { AdoptionNeeds } from './stores.js'

/** A device of the origin that is adopted. */
export interface AdoptedDevice {
  readonly input: DeviceInput & { readonly _id: ObjectId; readonly classroom: ObjectId }
  /** As the origin has it. */
  readonly document: Document
  /** What documents name it by: its id in all forms that it may have there, and the MAC address without separators. */
  readonly names: readonly unknown[]
  readonly switches: readonly AdoptedSwitch[]
}

export interface ContextParts {
  readonly database: Database
  readonly needs: AdoptionNeeds
  readonly origin: Origin
  readonly registry: Registry
  readonly options: ParsedAdoption
  readonly tally: Tally
  /** Undefined for an assessment, which writes nothing. */
  readonly store: FindingStore | undefined
}

/** Which documents of one device are read. */
export interface DeviceReading {
  readonly collection: string
  /** The field that names the device. */
  readonly field: 'deviceId' | 'device_id'
  readonly filter?: Document
  readonly sort: Readonly<Record<string, 1>>
}

const progressEvery = 1_000

/** Adoption context: what the parts of one run share. */
export class AdoptionContext {
  readonly database: Database
  readonly needs: AdoptionNeeds
  readonly origin: Origin
  readonly registry: Registry
  readonly options: ParsedAdoption
  readonly tally: Tally
  readonly store: FindingStore | undefined

  constructor({ database, needs, origin, registry, options, tally, store }: ContextParts) {
    this.database = database
    this.needs = needs
    this.origin = origin
    this.registry = registry
    this.options = options
    this.tally = tally
    this.store = store
  }

  /** The documents that match, in order. Stops where the caller has it stop. */
  async *read(
    collection: string,
    filter: Document,
    sort: Readonly<Record<string, 1>>,
  ): AsyncGenerator<Document, void, undefined> {
    let done = 0
    for await (const document of this.origin.stream(collection, filter, sort)) {
      this.options.signal?.throwIfAborted()
      yield document
      done += 1
      if (done % progressEvery === 0) this.options.onProgress?.({ collection, done })
    }
  }

  /** As {@link read}, of one device: those whose field names it. */
  async *readOf(
    { document: device, names }: AdoptedDevice,
    { collection, field, filter = {}, sort }: DeviceReading,
  ): AsyncGenerator<Document, void, undefined> {
    const own = idKey(device._id)
    for await (const document of this.read(collection, { [field]: { $in: names }, ...filter }, sort)) {
      const named: unknown = document[field]
      // The origin itself has texts in `device_id`.
      const isUsual = idKey(named) === own || (field === 'device_id' && typeof named === 'string')
      if (!isUsual) this.tally.otherForm(collection)
      yield document
    }
  }

  find(finding: Finding): void {
    this.tally.find(finding)
    this.store?.add(finding)
  }

  leave(collection: string, document: Document, reason: string): void {
    this.find({ kind: 'left', collection, document, reason })
  }

  /** Epoch milliseconds. */
  get nowMs(): number {
    return this.database.clock.now().getTime()
  }
}
