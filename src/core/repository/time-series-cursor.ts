import { ObjectId } from 'mongodb'
import type { SortDirection } from '../index-definition.js'
import { refused } from './data.js'

export type Direction = SortDirection

/** Series position: where a walk through a time series has come to. */
export interface SeriesPosition {
  readonly atMs: number
  readonly id: ObjectId
}

const shape = /^(1|-1),(-?\d{1,16}),([0-9a-f]{24})$/

/** The position as a cursor: opaque, and safe in a URL. */
export function encodePosition({ atMs, id }: SeriesPosition, direction: Direction): string {
  return Buffer.from(`${direction},${atMs},${id.toHexString()}`).toString('base64url')
}

/** @throws ValidationError if the cursor is none, or one of a walk in the other direction. */
export function decodePosition(cursor: string, direction: Direction): SeriesPosition {
  const [, towards, atMs, id] = shape.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (id === undefined || !(Math.abs(Number(atMs)) <= 8.64e15))
    throw refused('The query', 'cursor', 'is not a cursor', cursor)
  if (Number(towards) !== direction) throw refused('The query', 'cursor', 'belongs to another order', cursor)
  return { atMs: Number(atMs), id: ObjectId.createFromHexString(id) }
}

/** Whether a document of the position's instant comes after it. */
export function isBeyond(id: ObjectId, position: ObjectId, direction: Direction): boolean {
  const [one, other] = [id.toHexString(), position.toHexString()]
  return direction === 1 ? one > other : one < other
}
