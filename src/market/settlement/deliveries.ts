import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { energyPlaces, unitsOf } from '../decimal.js'
import type { Window } from '../matching/compatible.js'
import { slotMs } from '../slots.js'
import type { MarketTransaction } from '../transaction.js'
import { evenParts, sharesOf } from './shares.js'
import type { SlotEnergy, SlotFigures } from './slot-energy.js'

type Role = 'from' | 'to'

/** What was delivered for a trade and what was taken, in units. */
export interface Delivery {
  readonly delivered: bigint
  readonly taken: bigint
}

/** A trade with what of it belongs to each quarter hour of its delivery. */
interface Spread extends Window {
  readonly id: string
  readonly parts: readonly bigint[]
}

/** Finds by the ledger what was delivered and taken for trades: in each quarter hour what a user gave is shared among all that was sold for it. */
export class Deliveries {
  readonly #trades: EntityCollection<MarketTransaction>
  readonly #energy: SlotEnergy

  constructor(trades: EntityCollection<MarketTransaction>, energy: SlotEnergy) {
    this.#trades = trades
    this.#energy = energy
  }

  /** By the ids of the trades, which are all of one area. */
  async of(area: ObjectId, trades: readonly MarketTransaction[]): Promise<ReadonlyMap<string, Delivery>> {
    const delivered = await this.#sharesOf(area, trades, 'to', ({ given }) => given)
    const taken = await this.#sharesOf(area, trades, 'from', (figures) => figures.taken)
    const ids = trades.map(({ _id }) => _id.toHexString())
    return new Map(ids.map((id) => [id, { delivered: delivered.get(id) ?? 0n, taken: taken.get(id) ?? 0n }]))
  }

  async #sharesOf(
    area: ObjectId,
    trades: readonly MarketTransaction[],
    role: Role,
    figure: (figures: SlotFigures) => bigint,
  ): Promise<Map<string, bigint>> {
    const sums = new Map<string, bigint>()
    const users = new Map(trades.flatMap(({ [role]: user }) => (user ? [[user.toHexString(), user] as const] : [])))
    for (const user of users.values()) {
      const own = trades.filter((trade) => trade[role]?.equals(user))
      const windows = own.map(spreadOf)
      const window = {
        fromMs: Math.min(...windows.map(({ fromMs }) => fromMs)),
        untilMs: Math.max(...windows.map(({ untilMs }) => untilMs)),
      }
      const all = await this.#overlapping(area, user, role, window)
      const energyOf = await this.#energy.of(user, window)
      for (let slot = window.fromMs; slot < window.untilMs; slot += slotMs) {
        const due = all.filter(({ fromMs, untilMs }) => fromMs <= slot && slot < untilMs)
        const wanted = due.map(({ fromMs, parts }) => parts[(slot - fromMs) / slotMs] ?? 0n)
        const shares = sharesOf(figure(energyOf(slot)), wanted)
        for (const [at, { id }] of due.entries()) sums.set(id, (sums.get(id) ?? 0n) + (shares[at] ?? 0n))
      }
    }
    return sums
  }

  /** All trades of a user in that time, in the order in which they were made: they share what there is, whether they are settled yet or not. */
  async #overlapping(area: ObjectId, user: ObjectId, role: Role, { fromMs, untilMs }: Window): Promise<Spread[]> {
    const within = { deliverUntil: { $gt: new Date(fromMs) }, deliverFrom: { $lt: new Date(untilMs) } }
    const found = await this.#trades
      .for('settle')
      .find({ area, [role]: user, type: 'energy_trade', ...within }, { sort: { _id: 1 } })
    return found.map(spreadOf)
  }
}

function spreadOf({ _id, energyKwh, deliverFrom, deliverUntil }: MarketTransaction): Spread {
  const fromMs = deliverFrom?.getTime() ?? 0
  const untilMs = deliverUntil?.getTime() ?? 0
  const energy = energyKwh === undefined ? 0n : unitsOf(energyKwh, energyPlaces)
  return { id: _id.toHexString(), fromMs, untilMs, parts: evenParts(energy, Math.max(1, (untilMs - fromMs) / slotMs)) }
}
