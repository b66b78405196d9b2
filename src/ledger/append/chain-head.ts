import type { LedgerEntry } from '../entry/entry.js'
import { genesisHash } from '../entry/hash.js'

/** Where a chain ends, and what its entries come to. */
export interface ChainHead {
  readonly sequence: number
  readonly hash: string
  readonly consumedMws: number
  readonly producedMws: number
  /** Currency units. */
  readonly cost: number
  /** The latest time that an entry tells of, epoch milliseconds. */
  readonly newestMs: number
}

/** The head of a chain without entries. */
export const emptyHead: ChainHead = {
  sequence: 0,
  hash: genesisHash,
  consumedMws: 0,
  producedMws: 0,
  cost: 0,
  newestMs: Number.NEGATIVE_INFINITY,
}

type Last = Pick<LedgerEntry, 'sequence' | 'hash' | 'cumulativeEnergy' | 'cumulativeProduction' | 'calculatedCost'>

/** The head that the last entry of a chain makes. */
export function headOf(last: Last, newestMs: number): ChainHead {
  return {
    sequence: last.sequence,
    hash: last.hash,
    consumedMws: mwsOfRegister(last.cumulativeEnergy),
    producedMws: mwsOfRegister(last.cumulativeProduction),
    cost: last.calculatedCost,
    newestMs,
  }
}

/** A register's milliwatt-seconds. Dividing them by a thousand rounded, so the nearest whole number can be one off. */
function mwsOfRegister(registerWs: number): number {
  const nearest = Math.round(registerWs * 1000)
  return [nearest, nearest - 1, nearest + 1].find((mws) => mws / 1000 === registerWs) ?? nearest
}
