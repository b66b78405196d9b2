import { z } from 'zod'
import { clonedWith } from './declared-schema.js'
import { DatabaseError } from './errors.js'
import { pathsBelow } from './paths.js'

type Fields = Readonly<Record<string, z.ZodType>>

/**
 * The fields as requests may give them when something is created: without those at the paths, inside lists too.
 * @throws DatabaseError `CONFIGURATION` for a path that names no field, or one without which nothing could be created.
 */
export function requestFields(entity: string, fields: Fields, paths: readonly string[]): Record<string, z.ZodType> {
  const kept = Object.entries(fields).filter(([name]) => !paths.includes(name))
  for (const path of paths) {
    if (path.includes('.')) continue
    if (fields[path] === undefined) throw refusal(entity, path, 'is not a field of it')
    requireDispensable(entity, path, fields[path])
  }
  return Object.fromEntries(
    kept.map(([name, schema]) => [name, without(entity, schema, name, pathsBelow(name, paths))]),
  )
}

/** The fields as requests may give them in a change: each may be left out, and nothing is filled in for it. */
export function requestedChanges(fields: Fields): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, z.exactOptional(bare(schema))]))
}

function without(entity: string, schema: z.ZodType, path: string, left: readonly string[]): z.ZodType {
  if (left.length === 0) return schema
  const inner = (part: unknown) => without(entity, part as z.ZodType, path, left)
  if (schema instanceof z.ZodObject) {
    return clonedWith(schema, { shape: requestFields(entity, schema.shape as Fields, left) })
  }
  if (schema instanceof z.ZodArray) return clonedWith(schema, { element: inner(schema.element) })
  if ('innerType' in schema._zod.def) return clonedWith(schema, { innerType: inner(schema._zod.def.innerType) })
  throw refusal(entity, `${path}.${left[0]}`, 'is not a field of it')
}

function requireDispensable(entity: string, path: string, schema: z.ZodType): void {
  if (schema.safeParse(undefined).success) return
  throw refusal(entity, path, 'is left out of requests, so it has to be optional or to have a default')
}

/** The schema without its own default, which a change is not to fill in, and that of a field that must be there. */
function bare(schema: z.ZodType): z.ZodType {
  const isOptional =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
  return isOptional ? bare(schema.unwrap() as z.ZodType) : schema
}

function refusal(entity: string, path: string, message: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The field ${path} of the entity ${entity} ${message}`)
}
