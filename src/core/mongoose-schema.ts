import { Schema, type SchemaDefinitionProperty } from 'mongoose'
import { z } from 'zod'
import { type EntityDescription, sealedPattern } from './entity.js'
import { DatabaseError } from './errors.js'
import { issuesOf } from './validate.js'

const setBySave = ['createdAt', 'updatedAt', '__v', 'deletedAt']

/**
 * The Mongoose schema of an entity. It converts nothing but ids and dates, refuses unknown fields, and validates whole
 * documents with the entity's zod schema, so that `model.save()` refuses what the repository and the server refuse.
 */
export function toMongooseSchema(entity: EntityDescription): Schema {
  const { _id, createdAt, updatedAt, __v, ...shape } = entity.storedSchema.shape
  const definition = Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, toProperty(schema as z.ZodType)]),
  )
  const schema = new Schema(definition as never, {
    collection: entity.collection,
    strict: 'throw',
    strictQuery: 'throw',
    minimize: false,
    timestamps: !entity.appendOnly,
    ...(entity.appendOnly ? { versionKey: false } : { optimisticConcurrency: true }),
    autoCreate: false,
    autoIndex: false,
    id: false,
    ...(entity.timeSeries ? { timeseries: entity.timeSeries as never } : {}),
  })
  addValidation(schema, entity)
  addBehaviour(schema, entity)
  if (entity.appendOnly) refuseWrites(schema, entity.name)
  return schema
}

function toProperty(schema: z.ZodType): SchemaDefinitionProperty {
  const inner = unwrap(schema)
  const meta = inner.meta()
  if (meta?.bsonType === 'objectId') return { type: Schema.Types.ObjectId }
  if (inner instanceof z.ZodObject) return { type: toSubschema(inner), default: undefined } as SchemaDefinitionProperty
  if (inner instanceof z.ZodArray) return arrayOf(inner.element as z.ZodType)
  const scalar = scalarType(inner)
  return scalar === undefined
    ? { type: Schema.Types.Mixed }
    : ({ type: scalar, cast: scalar === Date ? undefined : false } as SchemaDefinitionProperty)
}

function arrayOf(element: z.ZodType): SchemaDefinitionProperty {
  return { type: [toProperty(element)], castNonArrays: false, default: undefined } as SchemaDefinitionProperty
}

function toSubschema(object: z.ZodObject): Schema {
  const definition = Object.fromEntries(
    Object.entries(object.shape).map(([name, field]) => [name, toProperty(field as z.ZodType)]),
  )
  return new Schema(definition as never, { _id: false, strict: 'throw', minimize: false, id: false })
}

function scalarType(
  schema: z.ZodType,
): StringConstructor | NumberConstructor | BooleanConstructor | DateConstructor | undefined {
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat || schema instanceof z.ZodEnum) return String
  if (schema instanceof z.ZodNumber) return Number
  if (schema instanceof z.ZodBoolean) return Boolean
  if (schema instanceof z.ZodDate) return Date
  return undefined
}

/** The schema without what says only whether a value must be there, and of a conversion its result. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.out as z.ZodType) : schema
}

function addValidation(schema: Schema, entity: EntityDescription): void {
  const omitted = Object.fromEntries(
    setBySave.filter((name) => name in entity.storedSchema.shape).map((name) => [name, true]),
  )
  const documentSchema = entity.storedSchema.omit(omitted as never)
  schema.pre('validate', function validateWhole() {
    const document = this.toObject({ depopulate: true, virtuals: false, getters: false, flattenMaps: true }) as Record<
      string,
      unknown
    >
    for (const name of setBySave) delete document[name]
    const result = documentSchema.safeParse(document)
    if (!result.success) {
      for (const issue of issuesOf(result.error, document)) this.invalidate(issue.path, issue.message)
      return
    }
    for (const rule of entity.rules) if (!rule.check(document)) this.invalidate(rule.path, rule.message)
  })
}

function addBehaviour(schema: Schema, entity: EntityDescription): void {
  for (const [name, get] of Object.entries(entity.behaviour.virtuals ?? {})) {
    schema.virtual(name).get(function read(this: unknown) {
      return get(this as never)
    })
  }
  Object.assign(schema.methods, entity.behaviour.methods)
  Object.assign(schema.statics, entity.behaviour.statics)
  if (entity.softDelete) schema.path('deletedAt').default(() => null)
  for (const name of Object.keys(entity.secrets)) {
    schema.path(name).select(false)
    schema.path(name).validate((value: unknown) => value == null || sealedPattern.test(String(value)), 'is not sealed')
  }
}

/** Refuses whatever writes through the model. */
function refuseWrites(schema: Schema, name: string): void {
  const refuse = (): never => {
    throw new DatabaseError(
      'APPEND_ONLY',
      `A ${name} cannot be written through its Mongoose model; append it through the library`,
    )
  }
  schema.pre(
    [
      'save',
      'updateOne',
      'updateMany',
      'replaceOne',
      'findOneAndUpdate',
      'findOneAndReplace',
      'findOneAndDelete',
      'deleteOne',
      'deleteMany',
    ],
    { document: true, query: true },
    refuse,
  )
  schema.pre(['insertMany', 'bulkWrite'] as never, refuse)
}
