import type { Connection, Model } from 'mongoose'
import type { EntityDescription, Identified } from './entity.js'
import { toMongooseSchema } from './mongoose-schema.js'

const compiled = new WeakMap<Connection, Map<EntityDescription, Model<never>>>()
let compiledCount = 0

/**
 * The entity's Mongoose model on a connection, compiled when it is first asked for. Its name cannot meet a model of the
 * host's own, and two handles on one connection do not meet either.
 */
export function compileModel<Stored extends Identified>(
  connection: Connection,
  entity: EntityDescription,
): Model<Stored> {
  const models = compiled.get(connection) ?? new Map<EntityDescription, Model<never>>()
  compiled.set(connection, models)
  const known = models.get(entity)
  if (known !== undefined) return known as unknown as Model<Stored>
  compiledCount += 1
  const model = connection.model(
    `autovolt:${entity.name}:${compiledCount}`,
    toMongooseSchema(entity),
    entity.collection,
  )
  models.set(entity, model as unknown as Model<never>)
  return model as unknown as Model<Stored>
}
