import type { ObjectId } from 'mongodb'
import type { PriceRule } from '../area.js'
import { amountOf, lesser } from '../decimal.js'
import { areCompatible, type Offer, overlapOf, type Window } from './compatible.js'

/** An order in the book. */
export interface BookOrder extends Offer {
  readonly _id: ObjectId
  readonly owner: ObjectId
  /** Its number among the orders of the area. */
  readonly sequence: number
  /** All of it, in units. */
  readonly energy: bigint
  /** What of it is not traded yet, in units. */
  rest: bigint
}

/** Two orders that meet. */
export interface Match extends Window {
  readonly buy: BookOrder
  readonly sell: BookOrder
  readonly energy: bigint
  readonly price: bigint
  readonly amount: bigint
  /** What is left of each after it. */
  readonly buyRest: bigint
  readonly sellRest: bigint
}

/**
 * The open orders of an area, the best price first, then the lower number. What is done since the last {@link keep} can be undone, since the
 * transaction that writes it may fail.
 */
export class Book {
  readonly #sides: Readonly<Record<Offer['side'], BookOrder[]>> = { buy: [], sell: [] }
  readonly #byId = new Map<string, BookOrder>()
  #undo: (() => void)[] = []

  get size(): number {
    return this.#byId.size
  }

  /** The orders of a side, best first. */
  side(side: Offer['side']): readonly BookOrder[] {
    return this.#sides[side]
  }

  get(id: string): BookOrder | undefined {
    return this.#byId.get(id)
  }

  /** Makes what was done final. */
  keep(): void {
    this.#undo = []
  }

  /** Undoes what was done since. */
  undo(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
  }

  add(order: BookOrder): void {
    this.#insert(order)
    this.#undo.push(() => this.#take(order))
  }

  remove(id: string): void {
    const order = this.#byId.get(id)
    if (order === undefined) return
    this.#take(order)
    this.#undo.push(() => this.#insert(order))
  }

  /**
   * Fills an order that is not in the book with those that are, as far as prices cross, and adds what is left.
   * @param gateMs When what is matched now can be delivered from.
   * @param most How many matches are made at most; what is left then is not added, and `isDone` is false.
   */
  match(
    taker: BookOrder,
    { gateMs, rule, most }: { readonly gateMs: number; readonly rule: PriceRule; readonly most: number },
  ): { readonly matches: readonly Match[]; readonly isDone: boolean } {
    const matches: Match[] = []
    const gone: string[] = []
    let isDone = true
    for (const maker of this.#sides[taker.side === 'buy' ? 'sell' : 'buy']) {
      if (taker.rest === 0n || !cross(taker, maker)) break
      isDone = matches.length < most
      if (!isDone) break
      const match = matchOf(taker, maker, gateMs, rule)
      if (match === undefined) continue
      matches.push(match)
      this.#fill(maker, match.energy)
      taker.rest -= match.energy
      if (maker.rest === 0n) gone.push(maker.id)
    }
    for (const id of gone) this.remove(id)
    if (isDone && taker.rest > 0n) this.add(taker)
    return { matches, isDone }
  }

  #fill(order: BookOrder, energy: bigint): void {
    order.rest -= energy
    this.#undo.push(() => {
      order.rest += energy
    })
  }

  #insert(order: BookOrder): void {
    const side = this.#sides[order.side]
    side.splice(placeOf(side, order), 0, order)
    this.#byId.set(order.id, order)
  }

  #take(order: BookOrder): void {
    const side = this.#sides[order.side]
    const at = placeOf(side, order)
    if (side[at]?.id === order.id) side.splice(at, 1)
    this.#byId.delete(order.id)
  }
}

/** What two orders come to that may meet; undefined if they may not. */
function matchOf(taker: BookOrder, maker: BookOrder, gateMs: number, rule: PriceRule): Match | undefined {
  const window = overlapOf(taker, maker, gateMs)
  if (window === undefined || !areCompatible(taker, maker)) return undefined
  const energy = lesser(taker.rest, maker.rest)
  const price = rule === 'resting' ? maker.price : middleOf(taker.price, maker.price)
  const amount = amountOf(energy, price)
  // So little energy would be given away for nothing.
  if (amount === 0n) return undefined
  const [buy, sell] = taker.side === 'buy' ? [taker, maker] : [maker, taker]
  const [buyRest, sellRest] = [buy.rest - energy, sell.rest - energy]
  return { buy, sell, energy, price, amount, buyRest, sellRest, ...window }
}

/** Rounded towards the price of the order that was there first. */
function middleOf(taker: bigint, maker: bigint): bigint {
  const sum = taker + maker
  return maker < taker ? sum / 2n : (sum + 1n) / 2n
}

function cross(taker: BookOrder, maker: BookOrder): boolean {
  return taker.side === 'buy' ? maker.price <= taker.price : maker.price >= taker.price
}

/** Where the order is in a side, or would be. */
function placeOf(side: readonly BookOrder[], order: BookOrder): number {
  let [low, high] = [0, side.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = side[middle]
    if (other !== undefined && goesBefore(other, order)) low = middle + 1
    else high = middle
  }
  return low
}

function goesBefore(a: BookOrder, b: BookOrder): boolean {
  if (a.price === b.price) return a.sequence < b.sequence
  return a.side === 'sell' ? a.price < b.price : a.price > b.price
}
