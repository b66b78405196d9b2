import { z } from 'zod'
import { type BlindIndexes, storedBlindly } from './blind-index.js'
import { DatabaseError } from './errors.js'
import { coreSchema, itemSchema, mayBeAbsent, schemaAtAnyItem } from './field-schema.js'

/** How long documents are kept although their person is erased, and why. */
export interface PersonalKeep {
  /** Such as `invoices are kept for ten years, § 147 AO`. It is in the report. */
  readonly reason: string
  /** The date field that the time counts from. */
  readonly since: string
  readonly days: number
}

/** What becomes of the documents that name a person by a path when the person is erased. */
export interface PersonalSubject {
  /**
   * `delete document`: the document is the person's. `delete`: the path, and `fields` with it. `anonymise`: the id is replaced by a random
   * one, the same in all collections, so that sums and chains stay whole; `fields` are deleted.
   */
  readonly onErasure: 'delete document' | 'delete' | 'anonymise'
  /** Further optional fields about the same person, which are deleted with it. */
  readonly fields?: readonly string[]
  /** Before this has ended nothing is done to the document. */
  readonly keep?: PersonalKeep
  /** Documents that somebody has to end first: while there are any, the person cannot be erased. */
  readonly refusedWhile?: { readonly filter: Readonly<Record<string, unknown>>; readonly reason: string }
}

/** Fields in which people may be named in words. */
export interface PersonalMentions {
  /** Fields of the document; of objects and lists everything inside. A sealed field is opened. */
  readonly in: readonly string[]
  /** `replace`: of the text, the name alone. */
  readonly onErasure: 'replace' | 'delete document'
}

export interface PersonalFields {
  /** By the paths that hold the id of a person: an ObjectId, or a text of 24 hexadecimal digits. */
  readonly subjects?: Readonly<Record<string, PersonalSubject>>
  readonly mentions?: PersonalMentions
  /** Fields that say nothing about any person. */
  readonly notPersonal?: readonly string[]
}

/** What of an entity is personal; `none` if none of its fields is. */
export type PersonalDeclaration = 'none' | PersonalFields

/** The fields that every document has of its own. */
export const ownFields: readonly string[] = ['_id', 'createdAt', 'updatedAt', '__v', 'deletedAt']
const headOf = (path: string) => path.split('.')[0] ?? path

interface Described {
  readonly name: string
  readonly storedSchema: z.ZodObject
  readonly blindIndexes: BlindIndexes
  readonly personal: PersonalDeclaration | undefined
}

interface SealedForPersons {
  readonly sealedFor: Readonly<Record<string, string>>
}

/** The fields of the document of which nobody has said whether they are personal. */
export function undeclaredFields({
  storedSchema,
  blindIndexes,
  sealedFor,
  personal,
}: Described & SealedForPersons): string[] {
  const sealedWith = (path: string) => Object.keys(sealedFor).filter((field) => sealedFor[field] === path)
  const kept = [...ownFields, ...storedBlindly(blindIndexes)]
  const fields = Object.keys(storedSchema.shape).filter((name) => !kept.includes(name))
  if (personal === 'none') return []
  const { subjects = {}, mentions, notPersonal = [] } = personal ?? {}
  if (Object.values(subjects).some(({ onErasure }) => onErasure === 'delete document')) return []
  const named = Object.entries(subjects).flatMap(([path, { fields: further = [] }]) => [
    path,
    ...further,
    ...sealedWith(path),
  ])
  const declared = new Set([...named, ...(mentions?.in ?? []), ...notPersonal].map(headOf))
  return fields.filter((name) => !declared.has(name))
}

/**
 * The declaration of an entity with fields of the host's own. Of a base without personal fields the host's are still to be declared.
 */
export function extendedPersonal(
  base: PersonalDeclaration | undefined,
  extension: PersonalDeclaration | undefined,
  fields: { readonly base: readonly string[]; readonly added: readonly string[] },
): PersonalDeclaration | undefined {
  if (base === undefined) return extension
  const one = base === 'none' ? { notPersonal: fields.base } : base
  const other = extension === 'none' ? { notPersonal: fields.added } : (extension ?? {})
  const mentions = [one.mentions, other.mentions].filter((part) => part !== undefined)
  const [first] = mentions
  return {
    subjects: { ...one.subjects, ...other.subjects },
    ...(first === undefined ? {} : { mentions: { ...first, in: mentions.flatMap((part) => part.in) } }),
    notPersonal: [...(one.notPersonal ?? []), ...(other.notPersonal ?? [])],
  }
}

const subjectSchema = z.strictObject({
  onErasure: z.enum(['delete document', 'delete', 'anonymise']),
  fields: z.array(z.string()).optional(),
  keep: z
    .strictObject({ reason: z.string().min(1).max(500), since: z.string(), days: z.number().positive().max(36_500) })
    .optional(),
  refusedWhile: z
    .strictObject({ filter: z.record(z.string(), z.unknown()), reason: z.string().min(1).max(500) })
    .optional(),
})
const declarationSchema = z.strictObject({
  subjects: z.record(z.string(), subjectSchema).optional(),
  mentions: z
    .strictObject({ in: z.array(z.string()).min(1), onErasure: z.enum(['replace', 'delete document']) })
    .optional(),
  notPersonal: z.array(z.string()).optional(),
})

/** @throws DatabaseError `CONFIGURATION` for a declaration that cannot be used, and for one about fields that there are not. */
export function requirePersonal(described: Described): void {
  const { name, personal } = described
  if (personal === undefined || personal === 'none') return
  const refuse = (what: string) =>
    new DatabaseError('CONFIGURATION', `What is personal of the entity ${name} cannot be used: ${what}`)
  const parsed = declarationSchema.safeParse(personal)
  if (!parsed.success) throw refuse(z.prettifyError(parsed.error))
  const { subjects = {}, mentions, notPersonal = [] }: PersonalFields = personal
  const schemaOf = (path: string) => schemaAtAnyItem(described, path)
  const further = Object.values(subjects).flatMap(({ fields = [] }) => fields)
  const dates = Object.values(subjects).flatMap(({ keep }) => (keep === undefined ? [] : [keep.since]))
  const paths = [...Object.keys(subjects), ...further, ...dates, ...(mentions?.in ?? []), ...notPersonal]
  const unknown = paths.find((path) => schemaOf(path) === undefined)
  if (unknown !== undefined) throw refuse(`it has no field ${unknown}`)
  if ([...(mentions?.in ?? []), ...notPersonal].some((path) => path.includes('.')))
    throw refuse('`mentions.in` and `notPersonal` name fields of the document, without dots')
  const fixed = further.find((path) => !isRemovable(described, path))
  if (fixed !== undefined) throw refuse(`${fixed} cannot be deleted: it is not optional`)
  for (const [path, { onErasure, fields = [] }] of Object.entries(subjects)) {
    const isGoneWith = fields.some((field) => path.startsWith(`${field}.`))
    if (onErasure === 'delete' && !isGoneWith && !isRemovable(described, path))
      throw refuse(`${path} cannot be deleted: it is not optional`)
  }
}

/** Whether a document is valid without it: an optional field, or an item of a list. */
function isRemovable(described: Described, path: string): boolean {
  const schema = schemaAtAnyItem(described, path)
  return schema !== undefined && (mayBeAbsent(schema) || itemSchema(schema) !== undefined)
}

/** Whether the path holds ids as texts. */
export function holdsText(described: Pick<Described, 'storedSchema'>, path: string): boolean {
  const schema = schemaAtAnyItem(described, path)
  if (schema === undefined) return false
  return coreSchema(itemSchema(schema) ?? schema) instanceof z.ZodString
}
