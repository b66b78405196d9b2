import type { z } from 'zod'
import { DatabaseError } from '../errors.js'
import { coreSchema, itemSchema, mayBeAbsent, schemaAt } from '../field-schema.js'
import { isPlainObject } from '../is-record.js'
import type { PersonalDeclaration } from '../personal-fields.js'

export declare const erasableSecrets: unique symbol

/** In the type of stored documents: the fields that are sealed with keys of persons, and read as null once those are destroyed. */
export interface ErasableSecrets<Names extends string> {
  /** Carries the names; never set. */
  readonly [erasableSecrets]?: Readonly<Record<Names, true>>
}

/** Revealed: a sealed text in clear; null where it was sealed for a person who was erased, which only some fields are. */
export type Revealed<Stored, Field extends string> = typeof erasableSecrets extends keyof Stored
  ? Field extends keyof NonNullable<Stored[typeof erasableSecrets]>
    ? string | null
    : string
  : string

/** By the names of sealed fields the paths of the persons whom they are about. */
export type SealedFor = Readonly<Record<string, string>>

/** How a field looks that is sealed with a key of its person; one from before that was declared is sealed by the key ring. */
export const personSealedPattern = /^(av1\.[A-Za-z0-9_-]{1,64}|as1)\.[A-Za-z0-9_-]{38,}$/

interface Described {
  readonly name: string
  readonly storedSchema: z.ZodObject
  readonly secrets: object
  readonly hashes: object
  readonly blindIndexes: object
  readonly immutable: readonly string[]
  readonly personal: PersonalDeclaration | undefined
}

/** @throws DatabaseError `CONFIGURATION` for a declaration by which fields could not be sealed, opened or erased. */
export function requireSealedFor(sealedFor: unknown, described: Described): void {
  const { name, storedSchema, secrets, hashes, blindIndexes, immutable, personal } = described
  if (!isPlainObject(sealedFor)) throw refusal(name, 'its fields', 'expected an object of fields with paths')
  const { subjects = {}, mentions } = personal === undefined || personal === 'none' ? {} : personal
  for (const [field, path] of Object.entries(sealedFor)) {
    const refuse = (what: string) => refusal(name, field, what)
    if (!Object.hasOwn(secrets, field) || Object.hasOwn(hashes, field)) throw refuse('it is not a sealed field')
    if (Object.hasOwn(blindIndexes, field))
      throw refuse('the hashes of its blind index would tell what it was when the key is gone')
    if (mentions?.in.includes(field) === true) throw refuse('it is among the fields whose words are searched')
    if (typeof path !== 'string') throw refuse('expected the path of a person')
    const subject = Object.hasOwn(subjects, path) ? subjects[path] : undefined
    if (subject === undefined) throw refuse(`\`personal.subjects\` does not have ${path}`)
    const schema = schemaAt({ storedSchema }, path)
    if (path.includes('.') || schema === undefined || itemSchema(coreSchema(schema)) !== undefined)
      throw refuse(`${path} is not one person`)
    if (path !== '_id' && !immutable.includes(path)) throw refuse(`${path} has to be immutable`)
    const own = schemaAt({ storedSchema }, field)
    if (subject.onErasure !== 'delete document' && (own === undefined || !mayBeAbsent(own)))
      throw refuse('it goes with the person, and is not optional')
  }
}

function refusal(entity: string, field: string, what: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The entity ${entity} cannot seal ${field} for a person: ${what}`)
}
