import { ObjectId } from 'mongodb'

/** A stored value in words, at most 100 characters. Whatever it is: nothing that a document brings with it is called. */
export function wordsOf(value: unknown): string {
  if (value instanceof ObjectId) return value.toHexString()
  const isObject = typeof value === 'object' && value !== null
  return (isObject ? JSON.stringify(value) : String(value)).slice(0, 100)
}

/** A stored number; NaN for whatever else is in its place. */
export function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN
}
