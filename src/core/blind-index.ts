import { z } from 'zod'
import { DatabaseError } from './errors.js'
import { coreSchema } from './field-schema.js'
import type { IndexDefinition } from './index-definition.js'
import { isPlainObject } from './is-record.js'

/** Blind index: how a sealed field is found by equality, by a keyed hash that is stored beside it. */
export interface BlindIndexOptions {
  /** Whether no two documents may have the same value. @default false */
  readonly unique?: boolean
  /**
   * Which spellings are the same: `exact` those of the same characters (Unicode NFC), `caseless` also those that differ in upper and
   * lower case, in compatible forms of characters (NFKC) and in white space. @default 'exact'
   */
  readonly normalise?: 'exact' | 'caseless'
}

export declare const findableSecrets: unique symbol

/** In the type of stored documents: the sealed fields with a blind index, which filters can ask for by equality. */
export interface FindableSecrets<Names extends string> {
  /** Carries the names; never set. */
  readonly [findableSecrets]?: Readonly<Record<Names, true>>
}

/** A blind index as it is declared, with the field that its hashes are stored in. */
export interface BlindIndex {
  /** The field that has the hashes, such as `insuranceNumberBlind`. */
  readonly stored: string
  /** Whether no two documents may have the same value. */
  readonly unique: boolean
  /** Which spellings are the same. */
  readonly normalise: 'exact' | 'caseless'
}

export type BlindIndexes = Readonly<Record<string, BlindIndex>>

/** How a hash looks in the database: version, key name, HMAC-SHA-256 in base64url. */
const blindPattern = /^bi1\.[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{43}$/

/** There is one hash for each key of a ring. */
const maximumHashes = 100

/** The field of the hashes as it is stored. */
export const blindSchema = () => z.array(z.string().regex(blindPattern)).min(1).max(maximumHashes).optional()

const optionsSchema = z.strictObject({
  unique: z.boolean().optional(),
  normalise: z.enum(['exact', 'caseless']).optional(),
})

interface Declared {
  readonly name: string
  readonly secrets: Readonly<Record<string, z.ZodType>>
  readonly hashes: Readonly<Record<string, RegExp>>
  readonly shardKey: object | undefined
}

/** @throws DatabaseError `CONFIGURATION` for what is no sealed field, and for one whose few values its hashes would give away. */
export function blindIndexesOf(declared: unknown, { name, secrets, hashes, shardKey }: Declared): BlindIndexes {
  const refuse = (field: string, what: string) =>
    new DatabaseError('CONFIGURATION', `The entity ${name} cannot have a blind index on ${field}: ${what}`)
  if (declared === undefined) return {}
  if (!isPlainObject(declared)) throw refuse('its fields', 'expected an object of fields')
  const indexes = Object.entries(declared).map(([field, options]): [string, BlindIndex] => {
    const schema = Object.hasOwn(secrets, field) ? secrets[field] : undefined
    if (schema === undefined || Object.hasOwn(hashes, field)) throw refuse(field, 'it is not a sealed field')
    const parsed = optionsSchema.safeParse(options)
    if (!parsed.success) throw refuse(field, z.prettifyError(parsed.error))
    const { unique = false, normalise = 'exact' } = parsed.data
    const core = coreSchema(schema)
    if (core instanceof z.ZodEnum || core instanceof z.ZodLiteral)
      throw refuse(field, 'who counts equal hashes can tell which of few values each is')
    if (unique && shardKey !== undefined)
      throw refuse(field, 'a unique index of a collection with a shard key has to begin with that')
    return [field, { stored: `${field}Blind`, unique, normalise }]
  })
  return Object.fromEntries(indexes)
}

/** The indexes on the hashes; documents without a value are in none. */
export function indexesOnHashes(entity: string, indexes: BlindIndexes): IndexDefinition[] {
  return Object.entries(indexes).map(([field, { stored, unique }]) => ({
    key: { [stored]: 1 as const },
    ...(unique ? { unique } : {}),
    partialFilterExpression: { [stored]: { $exists: true } },
    serves: `a ${entity} by its sealed ${field}`,
  }))
}

/** The names of the fields that hashes are stored in. */
export function storedBlindly(indexes: BlindIndexes): string[] {
  return Object.values(indexes).map(({ stored }) => stored)
}

/** What is hashed: the same text for all spellings that count as the same. */
export function normalised(text: string, { normalise }: BlindIndex): string {
  if (normalise === 'exact') return text.normalize('NFC')
  const folded = text.normalize('NFKC').toLowerCase().normalize('NFKC')
  return folded.trim().replace(/\s+/g, ' ')
}
