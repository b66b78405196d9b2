import { hash } from 'node:crypto'
import { Decimal128, ObjectId } from 'mongodb'

/**
 * One key for the same parameters, in whatever order their fields are. Values of different types are different: an id is
 * not its digits, an instant not its text.
 */
export function cacheKeyOf(cacheType: string, parameters: object): string {
  return `${cacheType}:${hash('sha256', canonicalText(parameters))}`
}

/** Texts alone are in quotes, so nothing else can look like another. */
function canonicalText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Date) return `instant(${value.getTime()})`
  if (value instanceof ObjectId) return `id(${value.toHexString()})`
  if (value instanceof Decimal128) return `decimal(${value.toString()})`
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`
  if (typeof value === 'object' && value !== null) return `{${canonicalFields(value)}}`
  return String(value)
}

function canonicalFields(value: object): string {
  const fields = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${canonicalText(inner)}`)
  return fields.sort().join()
}
