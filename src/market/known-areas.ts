import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import { NotFoundError } from '../core/errors.js'
import type { MarketArea } from './area.js'

/** More than a host has; those that are named beyond are looked up each time. */
const mostKnown = 10_000

/** Knows which areas there are: what is placed elsewhere nobody would match. */
export class KnownAreas {
  readonly #areas: EntityCollection<MarketArea>
  readonly #known = new Set<string>()

  constructor(areas: EntityCollection<MarketArea>) {
    this.#areas = areas
  }

  /** @throws NotFoundError for an area that is not there. */
  async require(areas: readonly ObjectId[]): Promise<void> {
    const unknown = new Map(areas.map((area) => [area.toHexString(), area]))
    for (const id of unknown.keys()) if (this.#known.has(id)) unknown.delete(id)
    if (unknown.size === 0) return
    const wanted = { _id: { $in: [...unknown.values()] } }
    const found = await this.#areas.for('place').find<Pick<MarketArea, '_id'>>(wanted, { projection: { _id: 1 } })
    for (const { _id } of found) {
      unknown.delete(_id.toHexString())
      if (this.#known.size < mostKnown) this.#known.add(_id.toHexString())
    }
    const [missing] = unknown.keys()
    if (missing !== undefined) throw new NotFoundError('market area', `id ${missing}`)
  }
}
