import { DatabaseError } from '../core/errors.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/
/** What the ids of the package's own migrations begin with. */
export const packagePrefix = 'autovolt-'

/** The id as a text. @throws DatabaseError `CONFIGURATION` for what is none. */
export function idText(id: unknown): string {
  const isVersion = typeof id === 'number' && Number.isSafeInteger(id) && id >= 0
  if (isVersion || (typeof id === 'string' && namePattern.test(id))) return String(id)
  throw new DatabaseError(
    'CONFIGURATION',
    `The id of a migration is a whole number that is not negative, or a name of letters, digits and . _ -, at most 200, not ${JSON.stringify(id)}`,
  )
}

/** Whether the migration ships with the package. */
export function isOfPackage(id: string): boolean {
  return id.startsWith(packagePrefix)
}

/**
 * Orders ids: those of the package first, for the host's rest on them; then by the number that they begin with, so that 9 comes
 * before 10; then by their characters. Names without a number come last.
 */
export function compareIds(a: string, b: string): number {
  return compareParts(splitId(a), splitId(b))
}

/** The ids in their order. */
export function inTurn(ids: readonly string[]): string[] {
  return ids
    .map((id) => ({ id, parts: splitId(id) }))
    .sort((a, b) => compareParts(a.parts, b.parts))
    .map(({ id }) => id)
}

function compareParts(left: IdParts, right: IdParts): number {
  if (left.isOfPackage !== right.isOfPackage) return left.isOfPackage ? -1 : 1
  if (left.number !== right.number) return left.number < right.number ? -1 : 1
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0
}

interface IdParts {
  readonly isOfPackage: boolean
  /** Infinity where the name begins with none. */
  readonly number: bigint | number
  readonly name: string
}

function splitId(id: string): IdParts {
  const isOurs = isOfPackage(id)
  const name = isOurs ? id.slice(packagePrefix.length) : id
  const digits = /^\d+/.exec(name)?.[0]
  const number = digits === undefined ? Number.POSITIVE_INFINITY : BigInt(digits)
  return { isOfPackage: isOurs, number, name }
}
