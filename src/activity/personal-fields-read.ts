import type { EntityDescription } from '../core/entity.js'
import { ownFields } from '../core/personal-fields.js'

/** What of an entity is personal, as far as a read is recorded. */
export interface PersonalRead {
  /** The paths of the persons. */
  readonly paths: readonly string[]
  /** The personal fields that documents are read with. */
  readonly fields: ReadonlySet<string>
}

const known = new WeakMap<EntityDescription, PersonalRead | null>()

/** @returns null for an entity whose documents are about nobody. */
export function personalReadOf(entity: EntityDescription): PersonalRead | null {
  const before = known.get(entity)
  if (before !== undefined) return before
  const found = readOf(entity)
  known.set(entity, found)
  return found
}

function readOf({ personal, storedSchema, hidden }: EntityDescription): PersonalRead | null {
  if (personal === undefined || personal === 'none') return null
  const { subjects = {}, notPersonal = [] } = personal
  const paths = Object.keys(subjects)
  if (paths.length === 0) return null
  const left = new Set([...ownFields, ...notPersonal, ...hidden])
  return { paths, fields: new Set(Object.keys(storedSchema.shape).filter((name) => !left.has(name))) }
}
