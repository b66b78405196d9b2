import { createHash } from 'node:crypto'
import { BSON, type ObjectId } from 'mongodb'
import type { Entity, StoredFields } from '../../core/entity.js'
import { ConflictError, ValidationError } from '../../core/errors.js'
import type { AdoptionContext } from './context.js'
import type { Kept, KeptWith } from './findings.js'
import type { Conflict, Finding, Mapped } from './map/mapped.js'
import type { SwitchAlias } from './map/switches.js'
import { idKey, shownId } from './map/values.js'
import { UniqueValues } from './unique-values.js'

/** What a service keeps of a device while it runs, and a secret, which is in no hash. */
const unhashed = new Set(['status', 'lastSeenAt', 'secret', 'state', 'stateAt'])
const batchSize = 500

/** Why a change of the origin is not taken. */
export const changedOnBothSides =
  'it was changed in the origin and here since it was adopted: what is here stays. Next: compare both'

type Keyed = { readonly _id?: ObjectId | string | undefined }

/** Store target: where documents of one kind go. */
export interface StoreTarget<Stored extends StoredFields, Input extends object> {
  readonly entity: Entity<Stored, Input>
  readonly create: (input: Input) => Promise<Stored>
  readonly update: (id: ObjectId, input: Input) => Promise<Stored>
  /** Of a device: under which ids and names the origin has its switches now. */
  readonly aliasesOf?: (id: string) => readonly SwitchAlias[]
}

/**
 * Stores what is not here yet, and what has changed in the origin since an earlier run and was not changed here: so both stay in
 * step until the cut-over. What was changed or deleted here stays as it is.
 * @returns the ids of those that are here now.
 */
export async function storeInStep<Stored extends StoredFields, Input extends Keyed>(
  context: AdoptionContext,
  target: StoreTarget<Stored, Input>,
  inputs: Mapped<Input>['inputs'],
  collection: string,
): Promise<ReadonlySet<string>> {
  const { store } = context
  const kept = await store?.kept(collection)
  const unique = new UniqueValues(context.database, target.entity)
  const stored = new Set<string>()
  for (let at = 0; at < inputs.length; at += batchSize) {
    const batch = inputs.slice(at, at + batchSize)
    const here = await versionsOf(context, target, batch)
    if (store === undefined) {
      const missing = batch.filter(({ input }) => !here.has(shownId(input._id)))
      const refused = await foresee(context, unique, missing, collection)
      for (const { input, document } of batch) if (!refused.has(document)) stored.add(shownId(input._id))
      continue
    }
    const results: Kept[] = []
    for (const one of batch) {
      const id = shownId(one.input._id)
      const before = kept?.get(idKey(one.document._id))
      const version = await storeOne(context, target, one, { before, here: here.get(id), collection, unique })
      if (version === undefined) continue
      stored.add(id)
      results.push({ document: one.document, with: version, aliases: target.aliasesOf?.(id) ?? [] })
    }
    await store.keep(results, collection)
  }
  return stored
}

/** Says of which documents adoption would find that their values are taken. */
async function foresee<Stored extends StoredFields, Input extends Keyed>(
  context: AdoptionContext,
  unique: UniqueValues<Stored, Input>,
  missing: Mapped<Input>['inputs'],
  collection: string,
): Promise<ReadonlySet<object>> {
  const read = missing.map(({ input, document }) => ({ document, values: unique.of(input) }))
  const owners = await unique.ownersAmong(read.map(({ values }) => values))
  const refused = new Set<object>()
  for (const { document, values } of read) {
    const conflict = unique.conflictOf(values, owners)
    if (conflict === undefined) unique.take(values)
    else {
      context.find({ kind: 'left', collection, document, reason: conflictReason(conflict), conflict })
      refused.add(document)
    }
  }
  return refused
}

interface Standing<Stored extends StoredFields, Input extends Keyed> {
  readonly before: KeptWith | undefined
  /** The version of ours; undefined if it is not here. */
  readonly here: number | undefined
  readonly collection: string
  readonly unique: UniqueValues<Stored, Input>
}

/** @returns what is kept with the document; undefined if it was left. */
async function storeOne<Stored extends StoredFields, Input extends Keyed>(
  context: AdoptionContext,
  target: StoreTarget<Stored, Input>,
  { input, document }: Mapped<Input>['inputs'][number],
  { before, here, collection, unique }: Standing<Stored, Input>,
): Promise<KeptWith | undefined> {
  const digest = digestOf(input)
  const adoptedId = input._id as ObjectId
  if (here === undefined) {
    const created = await createOne(context, target, { input, document }, { collection, unique })
    return created && { adoptedId, digest, version: created.__v }
  }
  // An earlier run was killed before it could keep this.
  if (before?.digest === undefined) return { adoptedId, digest, version: here }
  if (before.digest === digest)
    return { adoptedId, digest, ...(before.version === undefined ? {} : { version: before.version }) }
  if (before.version !== here) {
    context.find({ kind: 'noted', collection, document, reason: changedOnBothSides })
    return before
  }
  try {
    // Together or not at all: else the change would be taken for somebody's own.
    return await context.database.transactions.run(async () => {
      const changed = await target.update(adoptedId, input)
      const kept = { adoptedId, digest, version: changed.__v }
      await context.store?.keep([{ document, with: kept }], collection)
      return kept
    })
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    context.find({ kind: 'noted', collection, document, ...(await conflictOf(error, unique, input)) })
    return before
  }
}

async function createOne<Stored extends StoredFields, Input extends Keyed>(
  context: AdoptionContext,
  target: StoreTarget<Stored, Input>,
  { input, document }: Mapped<Input>['inputs'][number],
  { collection, unique }: Pick<Standing<Stored, Input>, 'collection' | 'unique'>,
): Promise<Stored | undefined> {
  try {
    const created = await target.create(input)
    unique.take(unique.of(input))
    return created
  } catch (error) {
    if (error instanceof ConflictError)
      context.find({ kind: 'left', collection, document, ...(await conflictOf(error, unique, input)) })
    else if (error instanceof ValidationError) context.leave(collection, document, validationReason(error))
    else throw error
    return undefined
  }
}

/** What is to be said of a document that was refused, with the one that has its values. */
async function conflictOf<Stored extends StoredFields, Input extends Keyed>(
  error: ConflictError,
  unique: UniqueValues<Stored, Input>,
  input: Input,
): Promise<Pick<Finding, 'reason' | 'conflict'>> {
  const values = unique.of(input)
  const conflict = unique.conflictOf(values, await unique.ownersAmong([values]))
  return conflict === undefined ? { reason: conflictReason(error) } : { reason: conflictReason(conflict), conflict }
}

async function versionsOf<Stored extends StoredFields, Input extends Keyed>(
  { database }: AdoptionContext,
  target: StoreTarget<Stored, Input>,
  batch: Mapped<Input>['inputs'],
): Promise<ReadonlyMap<string, number>> {
  const filter = { _id: { $in: batch.map(({ input }) => input._id) } }
  const projection = { __v: 1 }
  const found = await database.of(target.entity).find<{ _id: ObjectId; __v?: number }>(filter, { projection })
  return new Map(found.map(({ _id, __v = 0 }) => [_id.toHexString(), __v]))
}

export function conflictReason({ fields, existingId }: Pick<ConflictError, 'fields'> & Partial<Conflict>): string {
  const named = fields.filter((field) => field !== 'deletedAt').join(', ')
  const whose = existingId === undefined ? '' : `: ${existingId}`
  return `a document that is there already has its ${named}${whose}. Next: change or delete one of them, and adopt again`
}

/** What does not fit, the first of it. */
export function validationReason({ issues }: Pick<ValidationError, 'issues'>): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => `${path}: ${message}`)
    .join('; ')
}

export function digestOf(input: object): string {
  const hashed = JSON.parse(BSON.EJSON.stringify(input), (key, value) => (unhashed.has(key) ? undefined : value))
  return createHash('sha256').update(JSON.stringify(hashed)).digest('hex')
}
