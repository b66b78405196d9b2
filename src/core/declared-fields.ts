import { z } from 'zod'
import { storedBlindly } from './blind-index.js'
import type { EntityDescription } from './entity.js'
import { coreSchema } from './field-schema.js'

/** What may be shown of a value: all of it, or of objects these fields and of lists their items. */
type Part = 'all' | Fields

interface Fields {
  readonly named: ReadonlyMap<string, Part>
  /** Of fields of any other name; undefined where there are none. */
  readonly others: Part | undefined
  readonly items: Part | undefined
}

/** Nothing is declared inside a text, a number and their like. */
const leaf: Fields = { named: new Map(), others: undefined, items: undefined }

const shown = new WeakMap<EntityDescription, Part>()
const stored = new WeakMap<EntityDescription, Part>()

/**
 * The document as callers get it: its declared fields that are no secrets. What a document from before the library has
 * besides, a password's hash for one, stays in the database. The document itself comes back if it has nothing else.
 */
export function shownFields<Document extends object>(entity: EntityDescription, document: Document): Document {
  return keep(partOf(entity, shown, entity.hidden), document) as Document
}

/** As {@link shownFields}, with the sealed texts of secrets, for those who asked for them by name; hashes that secrets are found by are for nobody. */
export function storedFields<Document extends object>(entity: EntityDescription, document: Document): Document {
  return keep(partOf(entity, stored, storedBlindly(entity.blindIndexes)), document) as Document
}

/** The fields of {@link shownFields} as a projection for the server. */
export function shownProjection({ storedSchema, hidden }: EntityDescription): Record<string, Projection> {
  const names = Object.keys(storedSchema.shape).filter((name) => !hidden.includes(name))
  return Object.fromEntries(names.map((name) => [name, projectionOf(storedSchema.shape[name] as z.ZodType)]))
}

type Projection = 1 | { readonly [name: string]: Projection }

function projectionOf(schema: z.ZodType): Projection {
  const core = coreSchema(schema)
  if (core instanceof z.ZodArray) return projectionOf(core.element as z.ZodType)
  if (!(core instanceof z.ZodObject) || hasOthers(core)) return 1
  const fields = Object.entries(core.shape as Record<string, z.ZodType>)
  if (fields.length === 0) return 1
  return Object.fromEntries(fields.map(([name, field]) => [name, projectionOf(field)]))
}

function hasOthers(object: z.ZodObject): boolean {
  const { catchall } = object._zod.def
  return catchall !== undefined && !(catchall instanceof z.ZodNever)
}

function partOf(entity: EntityDescription, known: WeakMap<EntityDescription, Part>, left: readonly string[]): Part {
  const before = known.get(entity)
  if (before !== undefined) return before
  const { shape } = entity.storedSchema
  const named = Object.entries(shape).filter(([name]) => !left.includes(name))
  const part: Part = { ...leaf, named: new Map(named.map(([name, schema]) => [name, compile(schema as z.ZodType)])) }
  known.set(entity, part)
  return part
}

function compile(schema: z.ZodType): Part {
  const core = coreSchema(schema)
  if (core instanceof z.ZodObject) {
    const fields = Object.entries(core.shape as Record<string, z.ZodType>)
    return {
      ...leaf,
      named: new Map(fields.map(([name, field]) => [name, compile(field)])),
      others: hasOthers(core) ? compile(core._zod.def.catchall as z.ZodType) : undefined,
    }
  }
  if (core instanceof z.ZodLazy) return compile(core.unwrap() as z.ZodType)
  if (core instanceof z.ZodArray) return { ...leaf, items: compile(core.element as z.ZodType) }
  if (core instanceof z.ZodRecord) return { ...leaf, others: compile(core.valueType as z.ZodType) }
  if (core instanceof z.ZodUnion) return (core.options as readonly z.ZodType[]).map(compile).reduce(join)
  if (core instanceof z.ZodTuple) {
    const { items, rest } = core._zod.def
    const parts = [...items, ...(rest ? [rest] : [])].map((item) => compile(item as z.ZodType))
    return { ...leaf, items: parts.reduce(join, leaf) }
  }
  const isOpen = core instanceof z.ZodUnknown || core instanceof z.ZodAny || core instanceof z.ZodCustom
  return isOpen && !isClass(core) ? 'all' : leaf
}

/** Whether only instances of the driver's classes fit, which are taken as they are. */
function isClass(core: z.ZodType): boolean {
  const bsonType = core.meta()?.bsonType
  return typeof bsonType === 'string' && bsonType !== 'object' && bsonType !== 'array'
}

function join(one: Part, other: Part): Part {
  if (one === 'all' || other === 'all') return 'all'
  const named = new Map(one.named)
  for (const [name, part] of other.named) named.set(name, joined(named.get(name), part))
  return { named, others: optional(one.others, other.others), items: optional(one.items, other.items) }
}

function joined(one: Part | undefined, other: Part): Part {
  return one === undefined ? other : join(one, other)
}

function optional(one: Part | undefined, other: Part | undefined): Part | undefined {
  return other === undefined ? one : joined(one, other)
}

/** The value without what may not be shown; itself if it has nothing of the kind. */
function keep(part: Part, value: unknown): unknown {
  if (part === 'all' || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return keepItems(part, value)
  return isInstance(value) ? value : keepFields(part, value as Readonly<Record<string, unknown>>)
}

function keepFields(part: Fields, value: Readonly<Record<string, unknown>>): unknown {
  let copy: Record<string, unknown> | undefined
  for (const name in value) {
    const inner = value[name]
    const innerPart = part.named.get(name) ?? part.others
    const kept = innerPart === undefined ? undefined : keep(innerPart, inner)
    if (kept === inner && innerPart !== undefined) continue
    copy ??= { ...value }
    if (innerPart === undefined) delete copy[name]
    else copy[name] = kept
  }
  return copy ?? value
}

function keepItems(part: Fields, list: readonly unknown[]): unknown {
  const itemPart = part.items ?? leaf
  let copy: unknown[] | undefined
  for (let at = 0; at < list.length; at += 1) {
    const kept = keep(itemPart, list[at])
    if (kept === list[at]) continue
    copy ??= [...list]
    copy[at] = kept
  }
  return copy ?? list
}

/** Dates and what the driver has classes for; a document can have a field of the name by which those are known. */
function isInstance(value: object): boolean {
  return (
    ('_bsontype' in value && !Object.hasOwn(value, '_bsontype')) || value instanceof Date || ArrayBuffer.isView(value)
  )
}
