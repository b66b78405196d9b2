import type { Entity, Identified, Input, Stored } from './entity.js'

/** What is stored of an entity of ours, with the host's fields where it has any. */
export type StoredIn<Extended, Key extends string, Ours extends Identified> = Extended extends {
  readonly [Name in Key]: infer Own extends Entity
}
  ? Stored<Own> & Ours
  : Ours

/** What creates a document of an entity of ours, with the host's fields where it has any. */
export type InputIn<Extended, Key extends string, Ours extends object> = Extended extends {
  readonly [Name in Key]: infer Own extends Entity
}
  ? Input<Own>
  : Ours
