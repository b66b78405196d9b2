import { Timestamp } from 'mongodb'

/** A place in the history of a replica set: the cluster time of an entry of the oplog. */
export interface Position {
  readonly seconds: number
  readonly increment: number
}

export function comparePositions(a: Position, b: Position): number {
  return a.seconds - b.seconds || a.increment - b.increment
}

/** Whether what happened at this place had happened at the end of the second. */
export function isUpTo({ seconds }: Position, lastSecond: number): boolean {
  return seconds <= lastSecond
}

export function timestampOf({ seconds, increment }: Position): Timestamp {
  return new Timestamp({ t: seconds, i: increment })
}

export function positionOf(bytes: Buffer): Position {
  return { seconds: bytes.readUInt32LE(4), increment: bytes.readUInt32LE(0) }
}

/** For people, such as `2026-11-02T10:00:00Z`. */
export function showInstant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
