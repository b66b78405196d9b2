import { z } from 'zod'
import type { EntityDescription } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { compileFilter } from '../core/repository/compile-filter.js'
import { validateData } from '../core/validate.js'

const collectionName = () =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/, { error: 'expected the name of a collection' })

const policySchema = z.strictObject({
  /** What it is called in reports, such as `old activities`. */
  name: z.string().min(1).max(100),
  /** The collection of an entity of ours or of yours, by its real name. */
  collection: collectionName(),
  /** The date that the age is counted from; an index has to begin with it. */
  field: z.string().min(1).max(100),
  /** Documents that are older go. */
  olderThanDays: z.number().positive().max(36_500),
  /** Which of them: a filter as repositories take it. All of them unless given. */
  filter: z.unknown().optional(),
  /** A collection to copy them to before they are deleted; `{year}` and `{month}` stand for those of the date. Deleted only unless given. */
  archiveTo: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.{}-]{0,99}$/, { error: 'expected the name of a collection' })
    .optional(),
})

/** Retention policy: which documents of a collection are let go when. */
export type RetentionPolicy = z.input<typeof policySchema>

/** A policy that was checked against its entity. */
export interface CheckedPolicy {
  readonly name: string
  readonly entity: EntityDescription
  readonly field: string
  readonly olderThanMs: number
  readonly filter: Readonly<Record<string, unknown>>
  readonly archiveTo: string | undefined
}

const dayMs = 86_400_000

/**
 * @throws ValidationError; DatabaseError `CONFIGURATION` for a collection that is of no entity, or keeps its documents by
 * rules of its own, for a field without an index that begins with it, and for an archive that is an entity's collection.
 */
export function checkPolicies(
  policies: unknown,
  entities: readonly EntityDescription[],
  mayGo: ReadonlySet<string>,
): CheckedPolicy[] {
  const parsed = validateData(z.array(policySchema).min(1).max(200), policies, 'The policies')
  const names = new Set<string>()
  return parsed.map(({ name, collection, field, olderThanDays, filter = {}, archiveTo }) => {
    if (names.has(name)) throw refused(name, 'there are two policies of this name')
    names.add(name)
    const entity = entities.find((one) => one.collection === collection)
    if (entity === undefined) throw refused(name, `there is no entity in the collection ${collection}`)
    if (!mayGo.has(collection)) throw refused(name, `what ${collection} holds is kept by rules of its own`)
    if (entity.timeSeries !== undefined)
      throw refused(name, `a time series lets go by itself: see \`expireAfterSeconds\``)
    if (!entity.indexes.some(({ key }) => Object.keys(key)[0] === field))
      throw refused(name, `no index of ${collection} begins with ${field}`)
    if (archiveTo !== undefined && entities.some((one) => one.collection === archiveTo))
      throw refused(name, `${archiveTo} is the collection of an entity`)
    const compiled = compileFilter<object>(entity, filter) as Record<string, unknown>
    if (Object.hasOwn(compiled, field)) throw refused(name, `${field} is compared with the age, not by the filter`)
    return { name, entity, field, olderThanMs: olderThanDays * dayMs, filter: compiled, archiveTo }
  })
}

function refused(name: string, reason: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The policy ${name} cannot be used: ${reason}`)
}

/** The archive of a document with this date. */
export function archiveOf(pattern: string, at: Date): string {
  const [year, month] = at.toISOString().split('-')
  return pattern.replaceAll('{year}', String(year)).replaceAll('{month}', String(month))
}
