import { createHash } from 'node:crypto'
import { BSON, type ObjectId } from 'mongodb'
import type { Entity, StoredFields } from '../../core/entity.js'
import { ConflictError, ValidationError } from '../../core/errors.js'
import type { AdoptionContext } from './context.js'
import type { Kept, KeptWith } from './findings.js'
import type { Mapped } from './map/mapped.js'
import type { SwitchAlias } from './map/switches.js'
import { idKey, shownId } from './map/values.js'

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
  if (store === undefined) return new Set(inputs.map(({ input }) => shownId(input._id)))
  const kept = await store.kept(collection)
  const stored = new Set<string>()
  for (let at = 0; at < inputs.length; at += batchSize) {
    const batch = inputs.slice(at, at + batchSize)
    const here = await versionsOf(context, target, batch)
    const results: Kept[] = []
    for (const one of batch) {
      const id = shownId(one.input._id)
      const before = kept.get(idKey(one.document._id))
      const version = await storeOne(context, target, one, { before, here: here.get(id), collection })
      if (version === undefined) continue
      stored.add(id)
      results.push({ document: one.document, with: version, aliases: target.aliasesOf?.(id) ?? [] })
    }
    await store.keep(results, collection)
  }
  return stored
}

interface Standing {
  readonly before: KeptWith | undefined
  /** The version of ours; undefined if it is not here. */
  readonly here: number | undefined
  readonly collection: string
}

/** @returns what is kept with the document; undefined if it was left. */
async function storeOne<Stored extends StoredFields, Input extends Keyed>(
  context: AdoptionContext,
  target: StoreTarget<Stored, Input>,
  { input, document }: Mapped<Input>['inputs'][number],
  { before, here, collection }: Standing,
): Promise<KeptWith | undefined> {
  const digest = digestOf(input)
  const adoptedId = input._id as ObjectId
  if (here === undefined) {
    const created = await createOne(context, target, { input, document }, collection)
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
    context.find({ kind: 'noted', collection, document, reason: conflictReason(error) })
    return before
  }
}

async function createOne<Stored extends StoredFields, Input extends Keyed>(
  context: AdoptionContext,
  target: StoreTarget<Stored, Input>,
  { input, document }: Mapped<Input>['inputs'][number],
  collection: string,
): Promise<Stored | undefined> {
  try {
    return await target.create(input)
  } catch (error) {
    if (error instanceof ConflictError) context.leave(collection, document, conflictReason(error))
    else if (error instanceof ValidationError) context.leave(collection, document, validationReason(error))
    else throw error
    return undefined
  }
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

export function conflictReason(error: ConflictError): string {
  const fields = error.fields.filter((field) => field !== 'deletedAt').join(', ')
  return `a document that is there already has its ${fields}. Next: change or delete one of them, and adopt again`
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
