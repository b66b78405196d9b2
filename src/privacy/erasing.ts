import { BSON, type ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreWrite } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity, Identified } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import type { PersonalMentions } from '../core/personal-fields.js'
import { SecretFields } from '../core/repository/secret-fields.js'
import type { Mentions } from './mentions.js'
import type { SubjectPlan } from './subject-plan.js'

/** What a batch did. */
export interface Done {
  readonly deleted: number
  readonly anonymised: number
}

/** What erasing a collection needs. */
export interface Erasing {
  readonly database: Database
  readonly pseudonym: ObjectId
  readonly mentions: Mentions
  readonly signal: AbortSignal
  /** Does a batch, and counts what it did, in one transaction that only the holder of the lease can commit. */
  readonly apply: (entity: Entity, batch: () => Promise<Done>) => Promise<void>
  /** Deletes documents of collections whose documents are not deleted by themselves, by the collection's name. */
  readonly deletions: ReadonlyMap<string, (documents: readonly Identified[]) => Promise<number>>
}

const batchSize = 1_000
const mentionBatchSize = 100
/** Documents that others change meanwhile are looked at again; so often at most. */
const rounds = 5

/** Does what the plan says with all documents that name the person by its path. */
export async function eraseSubject(erasing: Erasing, entity: Entity, plan: SubjectPlan): Promise<void> {
  const { database, signal, apply } = erasing
  if (entity.timeSeries !== undefined) return apply(entity, () => eraseInSeries(database.of(entity), plan))
  const outside = database.of(entity, { isOutside: true }).for('erase')
  const walked = plan.isIndexed ? {} : { sort: { _id: 1 as const }, hint: { _id: 1 } }
  for (let last: ObjectId | undefined; ; ) {
    signal.throwIfAborted()
    const rest = plan.isIndexed || last === undefined ? plan.due : { ...plan.due, _id: { $gt: last } }
    const found = await outside.find<Identified>(rest, { projection: { _id: 1 }, limit: batchSize, ...walked })
    if (found.length === 0) return
    last = found.at(-1)?._id
    const ids = found.map(({ _id }) => _id)
    await apply(entity, () => eraseBatch(database.of(entity).for('erase'), plan, ids))
  }
}

async function eraseBatch(
  documents: EntityCollection<Identified>,
  { due, change }: SubjectPlan,
  ids: readonly ObjectId[],
): Promise<Done> {
  if (change === undefined) return { deleted: await documents.deleteMany({ ...due, _id: { $in: ids } }), anonymised: 0 }
  const { by, arrayFilters } = change
  const filters = arrayFilters.length === 0 ? {} : { arrayFilters }
  const writes: StoreWrite<Identified>[] = ids.map((_id) => ({ update: { ...due, _id }, by, ...filters }))
  // What is stored from before the library need not be valid to be erased.
  const { matched } = await documents.bulkWrite(writes, { isTrusted: true, isUnordered: true })
  return { deleted: 0, anonymised: matched }
}

/** Of a time series the server changes and deletes all at once, by what its buckets have in common, and in no transaction. */
async function eraseInSeries(documents: EntityCollection<Identified>, { due, change }: SubjectPlan): Promise<Done> {
  if (change === undefined) return { deleted: await documents.deleteMany(due), anonymised: 0 }
  return { deleted: 0, anonymised: await documents.updateMany(due, change.by) }
}

/**
 * Replaces what names the person in texts, or deletes the documents. All of the collection is read, as bytes; only what
 * names the person is looked at further.
 * @returns how many documents name the person and could not be changed.
 */
export async function eraseMentions(erasing: Erasing, entity: Entity, declared: PersonalMentions): Promise<number> {
  let unresolved = 0
  for (let round = 0; round < rounds; round += 1) {
    let missed = 0
    unresolved = 0
    for await (const batch of mentioning(erasing, entity, declared)) {
      const found = await resolveBatch(erasing, entity, declared, batch)
      missed += found.missed
      unresolved += found.unresolved
    }
    if (missed === 0) break
  }
  return unresolved
}

async function resolveBatch(
  erasing: Erasing,
  entity: Entity,
  declared: PersonalMentions,
  batch: readonly Identified[],
): Promise<{ readonly missed: number; readonly unresolved: number }> {
  const { database, apply, deletions } = erasing
  const documents = database.of(entity).for('erase')
  if (declared.onErasure === 'delete document') {
    const readable = batch.filter((document) => !isUnreadable(document))
    const remove = deletions.get(entity.collection) ?? (() => documents.deleteMany({ _id: { $in: idsOf(readable) } }))
    if (readable.length > 0) await apply(entity, async () => ({ deleted: await remove(readable), anonymised: 0 }))
    return { missed: 0, unresolved: batch.length - readable.length }
  }
  const writes = batch.map((document) => writeOf(erasing, declared, document)).filter((write) => write !== undefined)
  let missed = 0
  if (writes.length > 0)
    await apply(entity, async () => {
      const { matched } = await documents.bulkWrite(writes, { isTrusted: true, isUnordered: true })
      missed = writes.length - matched
      return { deleted: 0, anonymised: matched }
    })
  return { missed, unresolved: batch.length - writes.length }
}

/** The former texts are part of the filter: one that was changed meanwhile is looked at again. */
function writeOf(
  { mentions, pseudonym }: Erasing,
  declared: PersonalMentions,
  document: Identified,
): StoreWrite<Identified> | undefined {
  const fields = Object.entries(document).filter(([name]) => declared.in.includes(name))
  const changes = fields.flatMap(([name, value]) => [...mentions.changesIn(name, value, pseudonym)])
  if (changes.length === 0) return undefined
  const before = Object.fromEntries(changes.map(({ path, before: value }) => [path, value]))
  const after = Object.fromEntries(changes.map(({ path, after: value }) => [path, value]))
  return { update: { ...before, _id: document._id }, by: { $set: after } }
}

function idsOf(documents: readonly Identified[]): ObjectId[] {
  return documents.map(({ _id }) => _id)
}

const unreadable = Symbol('unreadable')

/** Whether a sealed text of it could not be opened, so that nobody knows what it says. */
function isUnreadable(document: Identified): boolean {
  return unreadable in document
}

/** The documents that name the person in one of the fields, in batches; of each what was declared. */
async function* mentioning(
  { database, mentions, signal }: Pick<Erasing, 'database' | 'mentions' | 'signal'>,
  entity: Entity,
  declared: PersonalMentions,
): AsyncGenerator<Identified[], void, undefined> {
  const sealed = declared.in.filter((name) => Object.hasOwn(entity.secrets, name))
  const secrets = new SecretFields(database, entity)
  const projection = Object.fromEntries(declared.in.map((name) => [name, 1]))
  const all = database.of(entity, { isOutside: true }).for('erase')
  let batch: Identified[] = []
  for await (const bytes of all.streamRaw({}, { projection, sort: { _id: 1 }, hint: { _id: 1 } })) {
    signal.throwIfAborted()
    const document = found(bytes)
    if (document !== undefined) batch.push(document)
    if (batch.length < mentionBatchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch

  function found(bytes: Buffer): Identified | undefined {
    if (mentions.areIn(bytes)) return BSON.deserialize(bytes) as Identified
    if (sealed.length === 0) return undefined
    const document = BSON.deserialize(bytes) as Identified & Readonly<Record<string, unknown>>
    try {
      const texts = sealed.flatMap((name) => {
        const text = document[name]
        return typeof text === 'string' ? [secrets.open(name, document._id, text)] : []
      })
      return texts.some((text) => mentions.areInText(text)) ? document : undefined
    } catch (error) {
      if (error instanceof DatabaseError && error.code === 'KEY_RING')
        return Object.assign(document, { [unreadable]: true })
      throw error
    }
  }
}
