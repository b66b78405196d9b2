import { isDeepStrictEqual } from 'node:util'
import { type Document, Schema, type SchemaDefinitionProperty } from 'mongoose'
import { z } from 'zod'
import { storedBlindly } from './blind-index.js'
import type { Clock } from './clock.js'
import { showDeclaredFields } from './declared-fields-in-models.js'
import type { EntityDescription } from './entity.js'
import { sealedAs } from './entity-shape.js'
import { DatabaseError } from './errors.js'
import { coreSchema, isConverted } from './field-schema.js'
import { indexName } from './index-definition.js'
import { translateModelError } from './mongoose-errors.js'
import { pathsBelow } from './paths.js'
import { requireOpenData } from './repository/data.js'
import { refuseRepositoryOnly } from './repository-only.js'
import { subjectOf } from './translate-error.js'
import { issuesOf, typeName } from './validate.js'

const setBySave = new Set(['createdAt', 'updatedAt', '__v', 'deletedAt'])

/**
 * The Mongoose schema of an entity. It converts ids and texts of several spellings (MAC addresses, e-mail addresses), in documents and
 * filters, refuses unknown fields, and validates whole documents with
 * the entity's zod schema, so that `model.save()` refuses what the repository and the server refuse.
 */
export function toMongooseSchema(entity: EntityDescription, clock: Clock): Schema {
  const { _id, createdAt, updatedAt, __v, ...shape } = entity.storedSchema.shape
  const schema = new Schema(toDefinition(shape, entity.immutable), {
    collection: entity.collection,
    strict: 'throw',
    strictQuery: 'throw',
    minimize: false,
    timestamps: entity.appendOnly ? false : { currentTime: () => clock.now() },
    ...(entity.appendOnly ? { versionKey: false } : { optimisticConcurrency: true }),
    autoCreate: false,
    autoIndex: false,
    id: false,
    suppressReservedKeysWarning: true,
    ...(entity.timeSeries ? { timeseries: { ...entity.timeSeries } } : {}),
  })
  // So that a host's `syncIndexes()` does not drop them.
  for (const index of entity.indexes) {
    const { serves, key, ...options } = index
    schema.index({ ...key }, { ...options, name: indexName(index) })
  }
  addBehaviour(schema, entity)
  showDeclaredFields(schema, entity)
  if (entity.validationLevel === 'moderate') acceptWhatIsThere(schema)
  if (entity.appendOnly) refuseWrites(schema, entity.name)
  else addValidation(schema, entity)
  refuseRepositoryOnly(schema, entity)
  translateErrors(schema, entity)
  return schema
}

type Property = SchemaDefinitionProperty

/** @param fixed The paths of the immutable fields among them. */
function toDefinition(shape: z.core.$ZodShape, fixed: readonly string[]): Record<string, Property> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => {
      const property = toProperty(schema as z.ZodType, pathsBelow(name, fixed))
      return [name, fixed.includes(name) ? ({ ...(property as object), immutable: true } as Property) : property]
    }),
  )
}

function toProperty(schema: z.ZodType, fixed: readonly string[]): Property {
  const core = coreSchema(schema)
  if (core.meta()?.bsonType === 'objectId') return { type: Schema.Types.ObjectId }
  if (core instanceof z.ZodObject) return { type: toSubschema(core, fixed), default: undefined } as Property
  if (core instanceof z.ZodArray) return arrayOf(core.element as z.ZodType, fixed)
  const scalar = scalarType(core)
  if (scalar === undefined) return { type: Schema.Types.Mixed }
  const setter = scalar === String && isConverted(schema) ? { set: inOneSpelling(schema) } : {}
  return { type: scalar, cast: false, ...setter } as Property
}

/** Mongoose runs setters on the values of filters and updates, too. What could be no value of the field is left to validation. */
function inOneSpelling(schema: z.ZodType): (value: unknown) => unknown {
  return (value) => {
    const result = schema.safeParse(value)
    return result.success ? result.data : value
  }
}

function arrayOf(element: z.ZodType, fixed: readonly string[]): Property {
  return { type: [toProperty(element, fixed)], castNonArrays: false, default: undefined } as Property
}

function toSubschema(object: z.ZodObject, fixed: readonly string[]): Schema {
  return new Schema(toDefinition(object.shape, fixed), {
    _id: false,
    strict: 'throw',
    minimize: false,
    id: false,
    suppressReservedKeysWarning: true,
  })
}

function scalarType(
  schema: z.ZodType,
): StringConstructor | NumberConstructor | BooleanConstructor | DateConstructor | undefined {
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return String
  if (schema instanceof z.ZodNumber) return Number
  if (schema instanceof z.ZodBoolean) return Boolean
  if (schema instanceof z.ZodDate) return Date
  return undefined
}

/** Before a document is saved it is parsed as a whole: what is wrong is refused, and defaults and conversions are taken over. */
function addValidation(schema: Schema, entity: EntityDescription): void {
  const names = Object.keys(entity.storedSchema.shape).filter((name) => !setBySave.has(name))
  const schemas = new Map<string, z.ZodType<Record<string, unknown>>>()
  const converted = new WeakMap<object, Record<string, unknown>>()
  const { repositoryOnly } = entity.behaviour
  schema.pre('validate', function parseWhole() {
    const stored = this.toObject({ depopulate: true, virtuals: false, getters: false, flattenMaps: true })
    const document = Object.fromEntries(Object.entries(stored).filter(([name]) => !setBySave.has(name)))
    requireOpenData(entity, document, entity.name)
    const loaded = names.filter((name) => this.isNew || name in document || this.isSelected(name))
    const key = loaded.join()
    const documentSchema = schemas.get(key) ?? schemaOf(entity, loaded)
    schemas.set(key, documentSchema)
    const result = documentSchema.safeParse(document)
    // What does not fit in a document that was there before is left to the server, which knows whether it ever fitted.
    const isLeftAlone = !this.isNew && entity.validationLevel === 'moderate'
    if (!result.success) {
      const issues = issuesOf(result.error, document)
      const shown = isLeftAlone ? issues.filter(({ path }) => this.isModified(path.split('.')[0])) : issues
      for (const { path, message, received } of shown) this.invalidate(path, message, undefined, received)
      return
    }
    const isWhole = !isLeftAlone && names.every((name) => loaded.includes(name) || entity.hidden.includes(name))
    const broken = isWhole ? entity.rules.filter((rule) => !rule.check(result.data)) : []
    for (const rule of broken) {
      const { path, message } = rule.explain?.(result.data) ?? rule
      this.invalidate(path, message, undefined, 'object')
    }
    const isFilledIn = (name: string) => !(name in document) && !this.isNew && repositoryOnly.includes(name)
    const changed = Object.entries(result.data).filter(
      ([name, value]) => name !== '_id' && !isDeepStrictEqual(value, document[name]) && !isFilledIn(name),
    )
    converted.set(this, Object.fromEntries(changed))
  })
  // Not before it is known that all is well: setting a field would hide that its value could not be taken.
  schema.post('validate', function takeOver() {
    this.$set(converted.get(this) ?? {})
  })
}

/** Values of another type than declared are not shown by documents, and are no reason to refuse changes of the rest. */
function acceptWhatIsThere(schema: Schema): void {
  schema.post('init', function accept() {
    schema.eachPath((path) => {
      if (!this.$isValid(path)) this.$markValid(path)
    })
  })
}

/** The schema of the fields that were loaded: a document read with a projection does not know the others. */
function schemaOf(entity: EntityDescription, names: readonly string[]): z.ZodType<Record<string, unknown>> {
  const { shape } = entity.storedSchema
  return z.strictObject(Object.fromEntries(names.map((name) => [name, shape[name] as z.ZodType])))
}

function addBehaviour(schema: Schema, entity: EntityDescription): void {
  for (const [name, get] of Object.entries(entity.behaviour.virtuals)) {
    const virtual = schema.virtual(name).get(function read(this: never) {
      return get(this)
    })
    virtual.set(function refuse(this: Document, value: unknown) {
      this.invalidate(name, 'is computed and cannot be set', undefined, typeName(value))
    })
  }
  Object.assign(schema.methods, entity.behaviour.methods)
  Object.assign(schema.statics, entity.behaviour.statics)
  if (entity.softDelete) schema.path('deletedAt').default(() => null)
  const blind = storedBlindly(entity.blindIndexes)
  hideHashes(schema, [...Object.keys(entity.hashes), ...blind])
  for (const name of blind) schema.path(name).select(false)
  for (const name of Object.keys(entity.secrets)) {
    schema.path(name).select(false)
    const form = entity.hashes[name]
    const isKept = (value: unknown) => value == null || (form ?? sealedAs(entity.sealedFor, name)).test(String(value))
    schema.path(name).validate(isKept, form === undefined ? 'is not sealed' : 'is not hashed')
  }
}

/** A hash that was selected by name is in the document, and in no JSON of it. */
function hideHashes(schema: Schema, names: readonly string[]): void {
  if (names.length === 0) return
  schema.set('toJSON', {
    transform: (_document, shown: Record<string, unknown>) => {
      for (const name of names) delete shown[name]
      return shown
    },
  })
}

const documentWrites = ['save'] as const
const queryWrites = [
  'updateOne',
  'updateMany',
  'replaceOne',
  'findOneAndUpdate',
  'findOneAndReplace',
  'findOneAndDelete',
  'deleteOne',
  'deleteMany',
] as const
const modelWrites = ['insertMany', 'bulkWrite'] as const
const reads = ['find', 'findOne', 'countDocuments', 'estimatedDocumentCount', 'distinct', 'aggregate'] as const

/** Refuses whatever writes through the model. */
function refuseWrites(schema: Schema, name: string): void {
  const refuse = (): never => {
    throw new DatabaseError(
      'APPEND_ONLY',
      `A ${name} cannot be written through its Mongoose model; append it through the library`,
    )
  }
  // Before validation, or the first complaint would be about the document.
  schema.pre(['validate', ...documentWrites, ...queryWrites], { document: true, query: true }, refuse)
  schema.pre('insertMany', refuse)
  schema.pre('bulkWrite', refuse)
}

function translateErrors(schema: Schema, entity: EntityDescription): void {
  const subject = subjectOf(entity)
  const translate = (error: Error, _result: unknown, next: (error: Error) => void) =>
    next(translateModelError(error, subject) as Error)
  for (const operation of [...documentWrites, 'validate', ...queryWrites, ...modelWrites, ...reads]) {
    schema.post(operation as 'save', { errorHandler: true }, translate)
  }
}
