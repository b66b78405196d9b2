import { BSON, type Document } from 'mongodb'
import { FormatError } from '../format/format-error.js'
import type { BackupCollection } from '../format/manifest.js'
import { applyDiff } from './document-diff.js'
import type { LoggedChange } from './oplog-entry.js'

const bucketsPrefix = 'system.buckets.'
const viewsCollection = 'system.views'
const unpromoted = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const

/** Catalog step: what is done with the collections of a database to follow a change. */
export type CatalogStep =
  | { readonly step: 'create'; readonly collection: BackupCollection }
  | { readonly step: 'drop'; readonly name: string }
  | { readonly step: 'rename'; readonly from: string; readonly to: string }
  /** Options that the collection has to have while documents are changed in it. */
  | { readonly step: 'modify'; readonly name: string; readonly options: Document }

/** The collections of a database as the changes of its history make them, by name, with options and indexes. */
export class ReplayedCatalog {
  readonly #collections = new Map<string, BackupCollection>()
  /** Those that the server makes for a while, and drops itself when it starts. */
  readonly #temporary = new Set<string>()
  readonly #isChosen: (name: string) => boolean

  /** @param isChosen Which collections are followed. */
  constructor(collections: readonly BackupCollection[], isChosen: (name: string) => boolean) {
    this.#isChosen = isChosen
    for (const one of collections) if (isChosen(one.name)) this.#collections.set(one.name, one)
  }

  /** What there is in the end. */
  collections(): BackupCollection[] {
    return [...this.#collections.values()].filter(({ name }) => !this.#temporary.has(name))
  }

  /** Those that go in the end. */
  temporary(): string[] {
    return [...this.#temporary]
  }

  get(name: string): BackupCollection | undefined {
    return this.#collections.get(name)
  }

  /** @returns the collection whose documents the change is of; undefined for one that is not followed. */
  followed({ kind, collection }: LoggedChange): BackupCollection | undefined {
    if (kind === 'c' || collection === viewsCollection) return undefined
    const found = this.#collections.get(ownName(collection))
    if (found === undefined && this.#isChosen(ownName(collection)) && !isOfServer(collection))
      throw new FormatError(`${collection} has a change and is not there: backup and slices do not belong together`)
    return found
  }

  /** Follows a change of the catalog. @returns what is to be done; nothing for what waits until the end. */
  follow(change: LoggedChange): CatalogStep | undefined {
    if (change.collection === viewsCollection && change.kind !== 'c') return this.#followView(change)
    if (change.kind !== 'c') return undefined
    const command: Document = BSON.deserialize(change.content, unpromoted)
    const [name = ''] = Object.keys(command)
    const collection = ownName(change.collection)
    // A change stream shows no drop of the views that go with their database.
    if (name === 'dropDatabase' || (name === 'drop' && change.collection === viewsCollection)) this.#dropViews()
    if (name === 'renameCollection') return this.#rename(collection, command, change)
    if (isOfServer(change.collection) || !this.#isChosen(collection)) return undefined
    switch (name) {
      case 'create':
        return this.#create(collection, command)
      case 'drop':
        this.#collections.delete(collection)
        this.#temporary.delete(collection)
        return { step: 'drop', name: collection }
      case 'createIndexes': {
        const { createIndexes, ...index } = command
        return this.#changeIndexes(collection, (indexes) => [...indexes, this.#indexFrom(collection, index)])
      }
      case 'commitIndexBuild': {
        const built = (command.indexes as Document[]).map((index) => this.#indexFrom(collection, index))
        return this.#changeIndexes(collection, (indexes) => [...indexes, ...built])
      }
      case 'dropIndexes':
        return this.#changeIndexes(collection, (indexes) => indexes.filter((index) => index.name !== command.index))
      case 'collMod':
        return this.#modify(collection, command)
      default:
        return undefined
    }
  }

  #create(name: string, { create, idIndex, temp, ...options }: Document): CatalogStep {
    const isSeries = options.timeseries !== undefined
    const { timeseries, expireAfterSeconds } = options
    const ofSeries = { timeseries, ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }) }
    const collection: BackupCollection = {
      name,
      type: isSeries ? 'timeseries' : 'collection',
      isAtClusterTime: options.capped !== true,
      options: canonical(isSeries ? ofSeries : options),
      indexes: [],
      documents: 0,
      bsonBytes: 0,
      dataFile: null,
      metadataFile: '',
    }
    this.#collections.set(name, collection)
    if (temp === true) this.#temporary.add(name)
    return { step: 'create', collection }
  }

  #rename(from: string, command: Document, { collection }: LoggedChange): CatalogStep | undefined {
    const target = String(command.to)
    const to = target.slice(target.indexOf('.') + 1)
    const [isFrom, isTo] = [this.#isChosen(from), this.#isChosen(to)]
    const known = this.#collections.get(from)
    if (isFrom !== isTo) throw new FormatError(`${collection} was renamed to ${to}: restore both, or neither`)
    if (known === undefined) return undefined
    this.#collections.delete(from)
    this.#collections.set(to, { ...known, name: to })
    this.#temporary.delete(to)
    if (this.#temporary.delete(from) && command.stayTemp === true) this.#temporary.add(to)
    return { step: 'rename', from, to }
  }

  #dropViews(): void {
    for (const { name, type } of this.#collections.values()) if (type === 'view') this.#collections.delete(name)
  }

  #changeIndexes(name: string, change: (indexes: Document[]) => Document[]): undefined {
    const found = this.#collections.get(name)
    if (found === undefined) return
    const indexes = change(found.indexes.map((index) => documentOf(index)))
    this.#collections.set(name, { ...found, indexes: indexes.map(canonical) })
  }

  /** Indexes of a time series are kept as its own, and logged as those of its buckets. */
  #indexFrom(name: string, index: Document): Document {
    const { timeseries } = documentOf(this.#collections.get(name)?.options ?? {})
    return timeseries === undefined ? index : seriesIndex(index, String(timeseries.metaField ?? ''))
  }

  #modify(name: string, { collMod, index, ...changed }: Document): CatalogStep | undefined {
    const found = this.#collections.get(name)
    if (found === undefined) return undefined
    if (index !== undefined) {
      const { name: indexName, ...options } = index as Document
      this.#changeIndexes(name, (indexes) =>
        indexes.map((one) => (one.name === indexName ? withoutFalse({ ...one, ...options }) : one)),
      )
    }
    const options = documentOf(found.options)
    const { timeseries, expireAfterSeconds, changeStreamPreAndPostImages, ...rules } = changed
    if (timeseries !== undefined) {
      // What belongs to the granularity the server computes.
      const { bucketMaxSpanSeconds, bucketRoundingSeconds, ...kept } = options.timeseries
      options.timeseries = { ...kept, ...timeseries }
    }
    if (expireAfterSeconds === 'off') delete options.expireAfterSeconds
    else if (expireAfterSeconds !== undefined) options.expireAfterSeconds = expireAfterSeconds
    Object.assign(options, rules, changeStreamPreAndPostImages === undefined ? {} : { changeStreamPreAndPostImages })
    if (Object.keys(options.validator ?? { some: 1 }).length === 0) delete options.validator
    this.#collections.set(name, { ...(this.#collections.get(name) ?? found), options: canonical(options) })
    const now = {
      ...(timeseries === undefined ? {} : { timeseries }),
      ...(changeStreamPreAndPostImages === undefined ? {} : { changeStreamPreAndPostImages }),
    }
    return Object.keys(now).length === 0 ? undefined : { step: 'modify', name, options: now }
  }

  /** Views are documents of a collection of the server; they are made in the end. */
  #followView({ kind, content, target }: LoggedChange): undefined {
    const id = String(BSON.deserialize(kind === 'u' ? (target ?? content) : content)._id)
    const name = id.slice(id.indexOf('.') + 1)
    if (!this.#isChosen(name)) return
    const before = this.#collections.get(name)
    if (before !== undefined && before.type !== 'view') return
    if (kind === 'd') {
      this.#collections.delete(name)
      return
    }
    const now: Document = BSON.deserialize(viewAfter(content, kind, before), unpromoted)
    const { _id, ...options } = now
    if (String(options.viewOn).startsWith(bucketsPrefix)) return
    const described = { documents: 0, bsonBytes: 0, dataFile: null, metadataFile: '' }
    const view = { name, type: 'view' as const, isAtClusterTime: true, options: canonical(options), indexes: [] }
    this.#collections.set(name, { ...view, ...described })
  }
}

function viewAfter(content: Buffer, kind: LoggedChange['kind'], before: BackupCollection | undefined): Buffer {
  const { diff } = kind === 'u' ? BSON.deserialize(content, unpromoted) : { diff: undefined }
  if (diff === undefined) return content
  return applyDiff(Buffer.from(BSON.serialize(documentOf(before?.options ?? {}))), Buffer.from(BSON.serialize(diff)))
}

/** A time series by its own name, and not by that of its buckets. */
function ownName(stored: string): string {
  return stored.startsWith(bucketsPrefix) ? stored.slice(bucketsPrefix.length) : stored
}

function isOfServer(stored: string): boolean {
  return stored.startsWith('system.') && stored !== 'system.js' && !stored.startsWith(bucketsPrefix)
}

function canonical(document: Document): BackupCollection['options'] {
  return BSON.EJSON.serialize(document, { relaxed: false }) as BackupCollection['options']
}

function documentOf(value: BackupCollection['options']): Document {
  return BSON.EJSON.deserialize(value, { relaxed: false })
}

function withoutFalse({ hidden, ...index }: Document): Document {
  return hidden === true ? { ...index, hidden } : index
}

/**
 * An index of buckets as that of its time series: `meta` is the field of the metadata, and the least and greatest of a field
 * together are the field.
 */
function seriesIndex({ originalSpec, ...index }: Document, metaField: string): Document {
  if (originalSpec !== undefined) return originalSpec as Document
  const key: Document = {}
  for (const [field, direction] of Object.entries(index.key as Document)) {
    const [, edge, name] = /^control\.(min|max)\.(.*)$/s.exec(field) ?? []
    if (edge === undefined || name === undefined)
      key[field.replace(/^meta(?=\.|$)/, metaField).replace(/^data\./, '')] = direction
    else if (!(name in key)) key[name] = edge === 'min' ? 1 : -1
  }
  const is2dsphere = (value: unknown) => (value === '2dsphere_bucket' ? '2dsphere' : value)
  return { ...index, key: Object.fromEntries(Object.entries(key).map(([field, value]) => [field, is2dsphere(value)])) }
}
