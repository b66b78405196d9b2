import type { BlindIndexOptions, FindableSecrets } from './blind-index.js'
import type { ErasableSecrets } from './subject-keys/sealed-for.js'

/** Secret names: of the secrets of a description those that are found by equality, and those that are sealed for persons. */
export interface SecretNames<Found extends string, Erasable extends string> {
  /** The sealed fields that are found by equality, each with how. */
  readonly blindIndexes?: Readonly<Record<Found, BlindIndexOptions>>
  /** The sealed fields that are sealed for persons, each with the path of the person. */
  readonly sealedFor?: Readonly<Record<Erasable, string>>
}

type Unless<Names extends string, Type> = [Names] extends [never] ? unknown : Type

/** What the type of stored documents says of secrets. */
export type WithSecrets<Found extends string, Erasable extends string> = Unless<Found, FindableSecrets<Found>> &
  Unless<Erasable, ErasableSecrets<Erasable>>
