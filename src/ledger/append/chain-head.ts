import { Binary } from 'mongodb'
import { DatabaseError } from '../../core/errors.js'
import type { LedgerEntry } from '../entry/entry.js'
import { genesisHash } from '../entry/hash.js'
import { isSha256 } from '../entry/sha256.js'

/** Chain head: where a chain ends, and what its entries come to. */
export interface ChainHead {
  readonly sequence: number
  readonly hash: Binary
  /** Whose its last entry is; undefined if it has none. */
  readonly place: Pick<LedgerEntry, 'deviceId' | 'classroom'> | undefined
  readonly consumedMws: number
  readonly producedMws: number
  /** Currency units. */
  readonly cost: number
  /** The latest time of an entry, epoch milliseconds. */
  readonly newestMs: number
}

/** The head of a chain without entries. */
export const emptyHead: ChainHead = {
  sequence: 0,
  hash: new Binary(Buffer.from(genesisHash, 'hex')),
  place: undefined,
  consumedMws: 0,
  producedMws: 0,
  cost: 0,
  newestMs: Number.NEGATIVE_INFINITY,
}

type Last = Pick<
  LedgerEntry,
  'sequence' | 'hash' | 'deviceId' | 'classroom' | 'cumulativeEnergy' | 'cumulativeProduction' | 'calculatedCost'
>

/** The head that the last entry of a chain makes. @throws DatabaseError `LEDGER_DAMAGED` if nothing can go on from it. */
export function headOf(last: Last, newestMs: number): ChainHead {
  if (!isSha256(last.hash))
    throw new DatabaseError(
      'LEDGER_DAMAGED',
      `The last entry of a chain, ${last.sequence}, has no hash: verify the ledger`,
    )
  return {
    sequence: last.sequence,
    // What the driver has read is a part of the server's reply, and would keep all of that in memory.
    hash: new Binary(Uint8Array.from(last.hash.value())),
    place: { deviceId: last.deviceId, classroom: last.classroom },
    consumedMws: mwsOfRegister(last.cumulativeEnergy),
    producedMws: mwsOfRegister(last.cumulativeProduction),
    cost: last.calculatedCost,
    newestMs,
  }
}

/** A register's milliwatt-seconds. Dividing them by a thousand rounded, so the nearest whole number can be one off. */
export function mwsOfRegister(registerWs: number): number {
  const nearest = Math.round(registerWs * 1000)
  return [nearest, nearest - 1, nearest + 1].find((mws) => mws / 1000 === registerWs) ?? nearest
}
