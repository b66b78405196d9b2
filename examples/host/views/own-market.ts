import type { AutoVolt } from '@autovolt/data'
import type { Neighbourhood } from '../neighbourhood/register.js'
import { carbonIntensityGPerKwh } from '../tariffs.js'
import type { Visitor } from '../visitors.js'

const shownOrders = 15
const dayMs = 86_400_000

/** What a visitor has in the market, and nobody else's. @throws AccessDeniedError for who may not look at it. */
export async function readOwnMarket(volt: AutoVolt, visitor: Visitor, { area, neighbours }: Neighbourhood) {
  const { id, volt: own } = visitor
  const until = new Date()
  const from = new Date(until.getTime() - dayMs)
  const gridCo2KgPerKwh = (carbonIntensityGPerKwh / 1_000).toFixed(3)
  const [balances, report] = await Promise.all([
    own.market.balances(id),
    own.market.report({ user: id, from, until, gridCo2KgPerKwh }),
  ])
  const orders = await volt.market.orders.find({ user: id }, { sort: { _id: -1 }, limit: shownOrders })
  return {
    isTrader: neighbours.some(({ user }) => user._id.equals(id)),
    balance: balances.find((one) => one.area.equals(area._id)) ?? null,
    report,
    orders: orders.map(({ _id, side, status, energyKwh, filledKwh, pricePerKwh, isOpen, ...order }) => ({
      id: _id.toHexString(),
      side,
      status,
      isOpen,
      energyKwh: energyKwh.toString(),
      filledKwh: filledKwh.toString(),
      pricePerKwh: pricePerKwh.toString(),
      from: order.availableFrom,
      until: order.availableUntil,
      reason: order.reason ?? null,
    })),
  }
}
