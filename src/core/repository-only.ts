import type { Document as MongooseDocument, Query, Schema } from 'mongoose'
import type { EntityDescription } from './entity.js'
import { DatabaseError } from './errors.js'
import { isPlainObject } from './is-record.js'

const removals = ['deleteOne', 'deleteMany', 'findOneAndDelete'] as const
const replacements = ['replaceOne', 'findOneAndReplace'] as const
const updates = ['updateOne', 'updateMany', 'findOneAndUpdate'] as const
/** Whole documents that are removed or replaced: every field changes. */
const whole = '*'

/**
 * Has the Mongoose model refuse changes of fields that the repository does more about, such as ending sessions; and removals
 * of documents that have such fields. New documents are as free as ever.
 */
export function refuseRepositoryOnly(schema: Schema, entity: EntityDescription): void {
  const fields = entity.behaviour.repositoryOnly
  if (fields.length === 0) return
  const requireOthers = (changed: Iterable<string>) => {
    for (const path of changed) {
      const [field = ''] = path.split('.')
      if (path === whole || fields.includes(field)) throw refusal(entity.name, path === whole ? undefined : field)
    }
  }
  schema.pre('save', function requireOtherFields(this: MongooseDocument) {
    if (!this.isNew) requireOthers(this.modifiedPaths())
  })
  const query = { document: false, query: true } as const
  schema.pre([...removals, ...replacements], query, () => requireOthers([whole]))
  schema.pre([...updates], query, function requireOtherFields(this: Query<unknown, unknown>) {
    requireOthers(pathsOfUpdate(this.getUpdate()))
  })
  schema.pre('bulkWrite', (operations: readonly unknown[]) => {
    for (const operation of operations) requireOthers(pathsOfOperation(operation))
  })
}

function refusal(name: string, field: string | undefined): DatabaseError {
  const what =
    field === undefined ? `A ${name} cannot be replaced or removed` : `${field} of a ${name} cannot be changed`
  return new DatabaseError(
    'REPOSITORY_ONLY',
    `${what} through its Mongoose model: use the repository, which does what goes with it`,
  )
}

/** The paths that an update writes; those that it sets in new documents only are not among them. */
function pathsOfUpdate(update: unknown): string[] {
  if (!isPlainObject(update)) return [whole]
  return Object.entries(update).flatMap(([name, value]) => {
    if (!name.startsWith('$')) return [name]
    if (name === '$setOnInsert' || !isPlainObject(value)) return []
    return name === '$rename' ? [...Object.keys(value), ...Object.values(value).map(String)] : Object.keys(value)
  })
}

function pathsOfOperation(operation: unknown): string[] {
  if (!isPlainObject(operation)) return []
  return Object.entries(operation).flatMap(([kind, body]) => {
    if (kind === 'insertOne') return []
    const isUpdate = kind === 'updateOne' || kind === 'updateMany'
    return isUpdate && isPlainObject(body) ? pathsOfUpdate(body.update) : [whole]
  })
}
