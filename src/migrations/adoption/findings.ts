import type { Document, ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreWrite } from '../../core/collection/store-query.js'
import type { Database } from '../../core/database.js'
import type { Entity, StoredFields } from '../../core/entity.js'
import type { AdoptionDay, AdoptionExtra, AdoptionReject } from './adoption-entities.js'
import type { Finding } from './map/mapped.js'
import type { SwitchAlias } from './map/switches.js'
import { given, idKey } from './map/values.js'
import type { Origin } from './origin.js'
import { OriginSecrets } from './without-secrets.js'

const batchSize = 500
const maximumIdLength = 1_100

export interface AdoptionStores {
  readonly rejects: Entity<AdoptionReject>
  readonly extras: Entity<AdoptionExtra>
  readonly days: Entity<AdoptionDay>
}

export type ComparedDay = Omit<AdoptionDay, keyof StoredFields | 'originDatabase' | 'runAt' | 'isSame'>

/** Kept with: what is kept of a document besides itself. */
export type KeptWith = Partial<Pick<AdoptionExtra, 'adoptedId' | 'classroom' | 'digest' | 'version'>>

/** A document that is kept. */
export interface Kept {
  readonly document: Document
  readonly with: KeptWith
  /** They are added to those of earlier runs. */
  readonly aliases?: readonly SwitchAlias[]
}

/** Keeps what a person has to look at, and what has no counterpart. Each is kept once, however often it is found. */
export class FindingStore {
  readonly #rejects: EntityCollection<AdoptionReject>
  readonly #extras: EntityCollection<AdoptionExtra>
  readonly #days: EntityCollection<AdoptionDay>
  readonly #origin: Origin
  readonly #secrets: OriginSecrets
  readonly #runAt: Date
  #waiting: Finding[] = []
  #flushing: Promise<void> = Promise.resolve()
  #waitingDays: (ComparedDay & { readonly isSame: boolean })[] = []

  constructor(
    database: Database,
    { rejects, extras, days }: AdoptionStores,
    origin: Origin,
    secrets = new OriginSecrets(origin.mapping),
  ) {
    this.#rejects = database.of(rejects).for('adopt')
    this.#extras = database.of(extras).for('adopt')
    this.#days = database.of(days).for('adopt')
    this.#origin = origin
    this.#secrets = secrets
    this.#runAt = database.clock.now()
  }

  add(finding: Finding): void {
    this.#waiting.push(finding)
  }

  addDay(day: ComparedDay & { readonly isSame: boolean }): void {
    this.#waitingDays.push(day)
  }

  /** Stores what was added, once there is enough of it; one after the other, for one document may come up in several batches. */
  flush(minimum = batchSize): Promise<void> {
    if (this.#waiting.length < minimum && this.#waitingDays.length < minimum) return Promise.resolve()
    const flushed = this.#flushing.then(async () => {
      if (this.#waiting.length >= minimum) await this.#storeFindings()
      if (this.#waitingDays.length >= minimum) await this.#storeDays()
    })
    // The caller that asked for it gets the error.
    this.#flushing = flushed.catch(() => undefined)
    return flushed
  }

  /** Keeps documents of the origin but for their secrets. */
  async keep(documents: readonly Kept[], collection: string): Promise<void> {
    for (let at = 0; at < documents.length; at += batchSize) {
      const writes = documents.slice(at, at + batchSize).map(({ document, with: more, aliases = [] }) => ({
        update: this.#keyOf(collection, document),
        by: {
          $set: { document: this.#secrets.without(this.#origin.rawOf(document)), ...more },
          ...(aliases.length === 0 ? {} : { $addToSet: { aliases: { $each: aliases } } }),
        },
        upsert: true,
      }))
      await this.#extras.bulkWrite(writes, { isUnordered: true })
    }
  }

  /**
   * What was kept with the documents of a collection that were adopted, by their ids there.
   * @param among Of these only.
   */
  async kept(collection: string, among?: readonly Document[]): Promise<ReadonlyMap<string, KeptWith>> {
    const filter = {
      originDatabase: this.#origin.name,
      originCollection: this.#origin.nameOf(collection),
      ...(among === undefined ? {} : { originId: { $in: among.map(idOf) } }),
    }
    const projection = { originId: 1, adoptedId: 1, digest: 1, version: 1 }
    const found = await this.#extras.find<KeptWith & { originId: string }>(filter, { projection })
    return new Map(found.map(({ originId, ...rest }) => [originId, rest]))
  }

  /** The adoption itself has changed a document that nobody else has. */
  async moveVersion(adoptedId: ObjectId, from: number, to: number): Promise<void> {
    const filter = { originDatabase: this.#origin.name, adoptedId, version: from }
    await this.#extras.updateOne(filter, { $set: { version: to } })
  }

  /** Ends a whole run: what it did not find any more is gone. */
  async end(): Promise<void> {
    await this.flush(1)
    const gone = { originDatabase: this.#origin.name, runAt: { $lt: this.#runAt } }
    await this.#rejects.deleteMany(gone)
    await this.#days.deleteMany(gone)
  }

  async #storeFindings(): Promise<void> {
    const findings = merged([...(await this.#knownOf(this.#waiting)), ...this.#waiting])
    this.#waiting = []
    const writes = findings.map(({ kind, collection, document, reason }) => ({
      update: this.#keyOf(collection, document),
      by: {
        $set: {
          kind,
          reason: this.#secrets.hideKnownIn(reason),
          document: this.#secrets.without(this.#origin.rawOf(document)),
          runAt: this.#runAt,
        },
      },
      upsert: true,
    }))
    await this.#rejects.bulkWrite(writes, { isUnordered: true })
  }

  /** What this run has found about the documents before: one of them may come up in several batches. */
  async #knownOf(waiting: readonly Finding[]): Promise<Finding[]> {
    const documents = new Map(waiting.map(({ collection, document }) => [keyOf(collection, document), document]))
    const collections = new Map(waiting.map(({ collection }) => [this.#origin.nameOf(collection), collection]))
    const found = await this.#rejects.find({
      originDatabase: this.#origin.name,
      originCollection: { $in: [...collections.keys()] },
      originId: { $in: waiting.map(({ document }) => idOf(document)) },
      runAt: this.#runAt,
    })
    return found.flatMap(({ kind, originCollection, originId, reason }) => {
      const collection = collections.get(originCollection) ?? originCollection
      const document = documents.get(`${collection} ${originId}`)
      return document === undefined ? [] : [{ kind, collection, reason, document }]
    })
  }

  async #storeDays(): Promise<void> {
    const days = this.#waitingDays
    this.#waitingDays = []
    const writes = days.map(({ subjectId, period, originCollection, originCost, cost, ...rest }) => {
      const update = { originDatabase: this.#origin.name, subjectId, period, originCollection }
      const costs = { ...given('originCost', originCost), ...given('cost', cost) }
      return { update, by: { $set: { ...rest, ...costs, runAt: this.#runAt } }, upsert: true }
    })
    await this.#days.bulkWrite(writes as StoreWrite<AdoptionDay>[], { isUnordered: true })
  }

  #keyOf(collection: string, document: Document) {
    return {
      originDatabase: this.#origin.name,
      originCollection: this.#origin.nameOf(collection),
      originId: idOf(document),
    }
  }
}

function idOf(document: Document): string {
  return idKey(document._id).slice(0, maximumIdLength)
}

function keyOf(collection: string, document: Document): string {
  return `${collection} ${idOf(document)}`
}

/** One for each document, with all reasons. */
function merged(findings: readonly Finding[]): Finding[] {
  const byDocument = new Map<string, Finding>()
  for (const finding of findings) {
    const key = keyOf(finding.collection, finding.document)
    const other = byDocument.get(key)
    const reasons = [...(other?.reason.split('; ') ?? []), ...finding.reason.split('; ')]
    const kind = other?.kind === 'left' ? 'left' : finding.kind
    byDocument.set(key, { ...finding, kind, reason: [...new Set(reasons)].join('; ').slice(0, 2000) })
  }
  return [...byDocument.values()]
}
