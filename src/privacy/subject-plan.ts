import type { Document, ObjectId } from 'mongodb'
import type { EntityDescription } from '../core/entity.js'
import { itemSchema, schemaAtAnyItem } from '../core/field-schema.js'
import type { IndexDefinition } from '../core/index-definition.js'
import { holdsText, type PersonalFields, type PersonalKeep, type PersonalSubject } from '../core/personal-fields.js'

/** How the documents of an entity are found that name a person by one path, and what is done with them. */
export interface SubjectPlan {
  readonly path: string
  /** All that name the person, those included that are kept. */
  readonly naming: Document
  /** Those that something is done with now. */
  readonly due: Document
  /** Those that are kept; undefined where none are. */
  readonly kept: Document | undefined
  readonly keep: PersonalKeep | undefined
  readonly refusedWhile: PersonalSubject['refusedWhile']
  /** Whether an index finds them; otherwise all documents are looked at, in the order of their ids. */
  readonly isIndexed: boolean
  /** What is done; undefined if they are deleted. */
  readonly change: SubjectChange | undefined
}

export interface SubjectChange {
  readonly by: Document
  readonly arrayFilters: readonly Document[]
}

export interface Subject {
  readonly user: ObjectId
  readonly pseudonym: ObjectId
}

const dayMs = 86_400_000

export function personalFieldsOf({ personal }: EntityDescription): PersonalFields | undefined {
  return personal === undefined || personal === 'none' ? undefined : personal
}

/** The paths of an entity that name people, as plans for one person. */
export function subjectPlans(entity: EntityDescription, subject: Subject, now: Date): SubjectPlan[] {
  const { subjects = {} } = personalFieldsOf(entity) ?? {}
  return Object.entries(subjects).map(([path, declared]) => planOf(entity, path, declared, subject, now))
}

function planOf(
  entity: EntityDescription,
  path: string,
  declared: PersonalSubject,
  { user, pseudonym }: Subject,
  now: Date,
): SubjectPlan {
  const storedAs = (id: ObjectId) => (holdsText(entity, path) ? id.toHexString() : id)
  const naming = { [path]: storedAs(user) }
  const { keep, refusedWhile } = declared
  const limit = keep && { $gt: new Date(now.getTime() - keep.days * dayMs) }
  return {
    path,
    naming,
    due: keep === undefined ? naming : { ...naming, [keep.since]: { $not: limit } },
    kept: keep === undefined ? undefined : { ...naming, [keep.since]: limit },
    keep,
    refusedWhile,
    isIndexed: path === '_id' || entity.indexes.some((index) => isIndexOn(index, path)),
    change:
      declared.onErasure === 'delete document'
        ? undefined
        : changeOf(entity, path, declared, storedAs, { user, pseudonym }),
  }
}

/** A partial index finds all that have the path only where it is about nothing else. */
function isIndexOn({ key, partialFilterExpression = {} }: IndexDefinition, path: string): boolean {
  return Object.keys(key)[0] === path && Object.keys(partialFilterExpression).every((name) => name === path)
}

function changeOf(
  entity: EntityDescription,
  path: string,
  { onErasure, fields: declared = [] }: PersonalSubject,
  storedAs: (id: ObjectId) => unknown,
  { user, pseudonym }: Subject,
): SubjectChange {
  // What is sealed with the person's key could be read by nobody without the person's id.
  const sealed = Object.keys(entity.sealedFor).filter((field) => entity.sealedFor[field] === path)
  const fields = [...declared, ...sealed]
  const hashes = fields.flatMap((field) => entity.blindIndexes[field]?.stored ?? [])
  const removed = Object.fromEntries([...fields, ...hashes].map((field) => [field, '']))
  const isGoneWith = fields.some((field) => path.startsWith(`${field}.`))
  if (isGoneWith) return { by: { $unset: removed }, arrayFilters: [] }
  const { place, isList, arrayFilters } = placeOf(entity, path, storedAs(user))
  const unset = fields.length === 0 ? {} : { $unset: removed }
  if (onErasure === 'anonymise') {
    const at = isList ? `${place}.$[value]` : place
    const filters = isList ? [...arrayFilters, { value: storedAs(user) }] : arrayFilters
    return { by: { $set: { [at]: storedAs(pseudonym) }, ...unset }, arrayFilters: filters }
  }
  if (isList) return { by: { $pull: { [place]: storedAs(user) }, ...unset }, arrayFilters }
  return { by: { $unset: { ...removed, [place]: '' } }, arrayFilters }
}

/** The path as an update names it: of a list that it leads through, the items that have the value. */
function placeOf(entity: EntityDescription, path: string, value: unknown) {
  const segments = path.split('.')
  const place: string[] = []
  const arrayFilters: Document[] = []
  for (const [at, segment] of segments.entries()) {
    place.push(segment)
    const schema = schemaAtAnyItem(entity, segments.slice(0, at + 1).join('.'))
    const rest = segments.slice(at + 1).join('.')
    if (rest === '' || schema === undefined || itemSchema(schema) === undefined) continue
    const name = `item${arrayFilters.length}`
    place.push(`$[${name}]`)
    arrayFilters.push({ [`${name}.${rest}`]: value })
  }
  const last = schemaAtAnyItem(entity, path)
  return { place: place.join('.'), isList: last !== undefined && itemSchema(last) !== undefined, arrayFilters }
}
