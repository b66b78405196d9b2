import type { Connection, Model } from 'mongoose'
import type { Clock } from './clock.js'
import type { EntityDescription, Identified } from './entity.js'
import { toMongooseSchema } from './mongoose-schema.js'

let compiledCount = 0

/**
 * The Mongoose models of one handle, each compiled when it is first asked for. Their names cannot meet a model of the
 * host's own, nor those of another handle on the same connection.
 */
export class Models {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #compiled = new Map<EntityDescription, Model<never>>()

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  of<Stored extends Identified>(entity: EntityDescription): Model<Stored> {
    const model = this.#compiled.get(entity) ?? this.#compile(entity)
    this.#compiled.set(entity, model)
    return model as unknown as Model<Stored>
  }

  /** Takes the models off the connection, which may live on. */
  remove(): void {
    for (const model of this.#compiled.values()) this.#connection.deleteModel(model.modelName)
    this.#compiled.clear()
  }

  #compile(entity: EntityDescription): Model<never> {
    compiledCount += 1
    const name = `autovolt:${entity.name}:${compiledCount}`
    return this.#connection.model(name, toMongooseSchema(entity, this.#clock), entity.collection) as never
  }
}
