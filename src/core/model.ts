import type { Connection, Model } from 'mongoose'
import type { Clock } from './clock.js'
import type { EntityDescription, Identified } from './entity.js'
import { translateModelError } from './mongoose-errors.js'
import { toMongooseSchema } from './mongoose-schema.js'
import { subjectOf } from './translate-error.js'

let compiledCount = 0

/** A model, as far as it is known before its documents are. */
interface CompiledModel extends NewableFunction {
  readonly modelName: string
  readonly validate: (...args: never[]) => unknown
}

/**
 * The Mongoose models of one handle, each compiled when it is first asked for. Their names cannot meet a model of the
 * host's own, nor those of another handle on the same connection.
 */
export class Models {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #compiled = new Map<EntityDescription, CompiledModel>()

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  of<Stored extends Identified>(entity: EntityDescription): Model<Stored> {
    const model = this.#compiled.get(entity) ?? this.#compile(entity)
    this.#compiled.set(entity, model)
    return model as Model<Stored>
  }

  /** Takes the models off the connection, which may live on. */
  remove(): void {
    for (const model of this.#compiled.values()) this.#connection.deleteModel(model.modelName)
    this.#compiled.clear()
  }

  #compile(entity: EntityDescription): CompiledModel {
    compiledCount += 1
    const name = `autovolt:${entity.name}:${compiledCount}`
    const model = this.#connection.model(name, toMongooseSchema(entity, this.#clock), entity.collection)
    return withOwnErrors(model, entity)
  }
}

/** Mongoose has hooks for nearly all that may fail; these are the places without one. */
function withOwnErrors<T extends CompiledModel>(model: T, entity: EntityDescription): T {
  const subject = subjectOf(entity)
  const validate = model.validate.bind(model) as (...args: unknown[]) => Promise<unknown>
  const translated = (error: unknown) => {
    throw translateModelError(error, subject)
  }
  return new Proxy(model, {
    construct(target, args) {
      try {
        return Reflect.construct(target, args) as object
      } catch (error) {
        return translated(error)
      }
    },
    get(target, name, receiver) {
      if (name === 'validate') return (...args: unknown[]) => validate(...args).catch(translated)
      return Reflect.get(target, name, receiver) as unknown
    },
  })
}
