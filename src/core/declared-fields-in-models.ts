import type { MongooseQueryMiddleware, PipelineStage, Query, Schema } from 'mongoose'
import { shownProjection, storedFields } from './declared-fields.js'
import type { EntityDescription } from './entity.js'
import { isRecord } from './is-record.js'

const queries: MongooseQueryMiddleware[] = [
  'find',
  'findOne',
  'findOneAndUpdate',
  'findOneAndReplace',
  'findOneAndDelete',
]

/**
 * Lets Mongoose's documents, lean ones too, and aggregations over them know the declared fields alone: what documents from
 * before the library have besides is in no result and no JSON. A secret's sealed text is there if it is selected by name.
 */
export function showDeclaredFields(schema: Schema, entity: EntityDescription): void {
  schema.pre('init', (stored: unknown) => leaveOut(entity, stored))
  schema.post(queries, function leaveOutOfLean(this: Query<unknown, unknown>, result: unknown) {
    if (!this.mongooseOptions().lean) return
    for (const document of Array.isArray(result) ? result : [result]) leaveOut(entity, document)
  })
  schema.pre('aggregate', function project() {
    const pipeline = this.pipeline()
    const at = pipeline.findIndex((stage) => !Object.keys(stage).every((name) => keepsDocuments.has(name)))
    const [first = {}] = pipeline
    if (at === 0 && Object.keys(first).some((name) => ofNoDocuments.has(name))) return
    const $project = { ...shownProjection(entity), ...addedBy(first) }
    pipeline.splice(at === -1 ? pipeline.length : at, 0, { $project })
  })
}

/** What Mongoose makes documents of is its own to keep, so it is changed in place. */
function leaveOut(entity: EntityDescription, stored: unknown): void {
  if (!isRecord(stored)) return
  // With `includeResultMetadata` the document is a part of the reply.
  const document = 'lastErrorObject' in stored && isRecord(stored.value) ? stored.value : stored
  const declared: Readonly<Record<string, unknown>> = storedFields(entity, document)
  if (declared === document) return
  for (const name of Object.keys(document)) {
    if (Object.hasOwn(declared, name)) document[name] = declared[name]
    else delete document[name]
  }
}

/** Stages that pass documents on as they are: before them the projection would keep the server from using an index. */
const keepsDocuments = new Set(['$match', '$sort', '$limit', '$skip', '$geoNear', '$sample', '$search'])
/** Stages that a pipeline can begin with and that give no documents of the collection. */
const ofNoDocuments = new Set(['$collStats', '$indexStats', '$planCacheStats', '$searchMeta', '$changeStream'])

/** The fields that a search by place adds to the documents. */
function addedBy(first: PipelineStage | Record<string, never>): Record<string, 1> {
  if (!('$geoNear' in first)) return {}
  const { distanceField, includeLocs } = first.$geoNear
  return { [distanceField]: 1, ...(includeLocs === undefined ? {} : { [includeLocs]: 1 }) }
}
