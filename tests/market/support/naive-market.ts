/**
 * The market as slowly and plainly as it can be written, for comparison; it shares no code with the library. Energies are whole 0.0001 kWh, prices
 * and money whole 0.000001.
 */
export interface NaiveOrder {
  readonly key: string
  readonly user: string
  readonly side: 'buy' | 'sell'
  readonly energy: bigint
  readonly price: bigint
  /** Quarter hours from the start of the time that is looked at. */
  readonly from: number
  readonly until: number
  /** East of the origin, km along the equator; nowhere where it is left out. */
  readonly km?: number | undefined
  readonly within?: number | undefined
}

export interface NaiveState extends NaiveOrder {
  status: 'active' | 'partial' | 'completed' | 'cancelled' | 'expired'
  filled: bigint
  number?: number
}

export interface NaiveTrade {
  readonly buy: string
  readonly sell: string
  readonly energy: bigint
  readonly price: bigint
  readonly amount: bigint
  readonly from: number
  readonly until: number
}

export class NaiveMarket {
  readonly orders: NaiveState[] = []
  readonly trades: NaiveTrade[] = []
  readonly money = new Map<string, bigint>()
  #taken = 0

  constructor(
    private readonly penalty: bigint,
    private readonly isMiddle: boolean,
  ) {}

  place(order: NaiveOrder): void {
    if (!this.orders.some(({ key }) => key === order.key)) this.orders.push({ ...order, status: 'active', filled: 0n })
  }

  cancel(key: string): void {
    for (const order of this.orders) if (order.key === key && this.#isOpen(order)) order.status = 'cancelled'
  }

  /** Everything that waits, in the order in which it came; `quarter` is the next that begins. */
  run(quarter: number): void {
    for (const order of this.orders) if (this.#isOpen(order) && order.until <= quarter) order.status = 'expired'
    for (const order of this.orders) {
      if (!this.#isOpen(order) || order.number !== undefined) continue
      const needed = this.#reserve(order)
      if (needed > this.free(order.user)) order.status = 'cancelled'
      else {
        order.number = ++this.#taken
        while (this.#matchOnce(order, quarter));
      }
    }
  }

  /** What a user has, less what open orders and trades hold ready. */
  free(user: string): bigint {
    let sum = this.money.get(user) ?? 0n
    for (const order of this.orders)
      if (order.user === user && order.number !== undefined && this.#isOpen(order)) sum -= this.#reserve(order)
    for (const trade of this.trades) {
      if (this.#of(trade.buy).user === user) sum -= trade.amount
      if (this.#of(trade.sell).user === user) sum -= (trade.energy * this.penalty) / 10_000n
    }
    return sum
  }

  #reserve(order: NaiveState): bigint {
    const product = (order.energy - order.filled) * (order.side === 'buy' ? order.price : this.penalty)
    return product % 10_000n === 0n ? product / 10_000n : product / 10_000n + 1n
  }

  #matchOnce(taker: NaiveState, quarter: number): boolean {
    let best: { maker: NaiveState; trade: NaiveTrade } | undefined
    for (const maker of this.orders) {
      const trade = this.#tradeOf(taker, maker, quarter)
      if (trade === undefined) continue
      if (best === undefined || this.#isBetter(maker, best.maker)) best = { maker, trade }
    }
    if (best === undefined) return false
    this.trades.push(best.trade)
    for (const order of [taker, best.maker]) {
      order.filled += best.trade.energy
      order.status = order.filled === order.energy ? 'completed' : 'partial'
    }
    return true
  }

  #isBetter(a: NaiveState, b: NaiveState): boolean {
    if (a.price !== b.price) return a.side === 'sell' ? a.price < b.price : a.price > b.price
    return (a.number ?? 0) < (b.number ?? 0)
  }

  #tradeOf(taker: NaiveState, maker: NaiveState, quarter: number): NaiveTrade | undefined {
    if (maker === taker || maker.number === undefined || !this.#isOpen(maker) || !this.#isOpen(taker)) return undefined
    if (maker.side === taker.side || maker.user === taker.user) return undefined
    const [buy, sell] = taker.side === 'buy' ? [taker, maker] : [maker, taker]
    if (buy.price < sell.price) return undefined
    const from = Math.max(buy.from, sell.from, quarter)
    const until = Math.min(buy.until, sell.until)
    if (from >= until) return undefined
    for (const { within } of [buy, sell]) {
      if (within === undefined) continue
      if (buy.km === undefined || sell.km === undefined || Math.abs(buy.km - sell.km) > within) return undefined
    }
    const energy = [buy, sell].map((order) => order.energy - order.filled).sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n
    const sum = buy.price + sell.price
    const middle = taker.side === 'buy' ? sum / 2n : sum / 2n + (sum % 2n)
    const price = this.isMiddle ? middle : maker.price
    const amount = (energy * price) / 10_000n
    return amount === 0n ? undefined : { buy: buy.key, sell: sell.key, energy, price, amount, from, until }
  }

  #isOpen({ status }: NaiveState): boolean {
    return status === 'active' || status === 'partial'
  }

  #of(key: string): NaiveState {
    const order = this.orders.find((one) => one.key === key)
    if (order === undefined) throw new Error(`No order ${key}`)
    return order
  }
}
