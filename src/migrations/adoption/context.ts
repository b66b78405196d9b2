import type { Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { DeviceInput } from '../../devices/device.js'
import type { FindingStore } from './findings.js'
import type { Finding } from './map/mapped.js'
import type { AdoptedSwitch } from './map/switches.js'
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
