import type { Entity, Identified, Input, Stored } from './entity.js'

/** Stored in: what is stored of an entity of ours, with the fields that the host adds. */
export type StoredIn<Extended, Key extends string, Ours extends Identified> = Extended extends {
  readonly [Name in Key]: infer Own extends Entity
}
  ? Stored<Own> & Ours
  : Ours

/** Input in: what creates a document of an entity of ours, with the fields that the host adds. */
export type InputIn<Extended, Key extends string, Ours extends object> = Extended extends {
  readonly [Name in Key]: infer Own extends Entity
}
  ? Input<Own>
  : Ours
