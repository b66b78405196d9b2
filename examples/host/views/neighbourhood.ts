import { type AutoVolt, type MarketSettlement, type MarketTransaction, where } from '@autovolt/data'
import type { Meter } from '../neighbourhood/meters.js'
import type { Neighbour, Neighbourhood } from '../neighbourhood/register.js'

const shownTrades = 20
const depth = 8
const hourMs = 3_600_000
const shownHours = 6
const mostDeliveries = 1_000

/** The neighbourhood as all of it may see it: who is there, the book, the last trades, and who has delivered what was sold. */
export async function readNeighbourhood(volt: AutoVolt, { area, neighbours }: Neighbourhood) {
  const until = new Date()
  const from = new Date(until.getTime() - shownHours * hourMs)
  const trade = { area: area._id, type: 'energy_trade' as const }
  const [book, prices, last, delivered, powers] = await Promise.all([
    volt.market.orderBook({ area: area._id, depth }),
    volt.market.priceStatistics({ area: area._id, from, until, step: 'hour' }),
    volt.market.transactions.find(trade, { sort: { createdAt: -1, _id: -1 }, limit: shownTrades }),
    volt.market.transactions.find(
      { ...trade, status: 'confirmed', deliverUntil: where.gte(from) },
      { sort: { deliverUntil: -1 }, limit: mostDeliveries },
    ),
    Promise.all(neighbours.map(({ meters }) => powerOf(volt, meters))),
  ])
  const settlements = await lastSettlements(volt, area._id, [...last, ...delivered])
  const nameOf = new Map(neighbours.map(({ user }) => [user._id.toHexString(), user.name]))
  return {
    area: {
      name: area.name,
      penaltyPerKwh: area.penaltyPerKwh.toString(),
      feeRate: area.feeRate.toString(),
      settleAfterMinutes: area.settleAfterMinutes,
    },
    households: neighbours.map((one, at) => ({
      ...householdView(one),
      powerW: powers[at] ?? null,
      ...deliveredBy(one, delivered, settlements),
    })),
    book,
    prices: prices.map(({ start, trades, energyKwh, meanPricePerKwh }) => ({
      start,
      trades,
      energyKwh,
      meanPricePerKwh,
    })),
    trades: last.map((one) => tradeView(one, settlements.get(one._id.toHexString()), nameOf)),
  }
}

function householdView({ household, user, meters }: Neighbour) {
  return {
    id: user._id.toHexString(),
    name: user.name,
    type: household.userType,
    place: household.place,
    meters: meters.map(({ kind }) => kind),
  }
}

/** W; what all meters of a household read last, less than zero while it gives more than it takes; null without readings. */
async function powerOf(volt: AutoVolt, meters: readonly Meter[]): Promise<number | null> {
  const readings = await Promise.all(
    meters.map(({ device }) => {
      const filter = { switchId: device.switches[0]?._id ?? device._id, eventType: 'power_reading' as const }
      return volt.ledger.findOne(filter, { sort: { timestamp: -1 }, select: ['reading'] })
    }),
  )
  const powers = readings.flatMap((entry) => entry?.reading?.powerW ?? [])
  return powers.length === 0 ? null : powers.reduce((sum, watts) => sum + watts, 0)
}

/** The last settlement of each trade that has one. */
async function lastSettlements(
  volt: AutoVolt,
  area: MarketTransaction['area'],
  trades: readonly MarketTransaction[],
): Promise<ReadonlyMap<string, MarketSettlement>> {
  const ids = [...new Map(trades.map(({ _id }) => [_id.toHexString(), _id])).values()]
  const last = new Map<string, MarketSettlement>()
  if (ids.length === 0) return last
  const filter = { area, trade: where.in(ids) }
  for await (const one of volt.market.settlements.stream(filter, { sort: { revision: 1 } }))
    last.set(one.trade.toHexString(), one)
  return last
}

/** Of the last deliveries that are settled: what was sold, what was delivered of it, and what was short. */
function deliveredBy(
  { user }: Neighbour,
  trades: readonly MarketTransaction[],
  settlements: ReadonlyMap<string, MarketSettlement>,
) {
  let [sold, delivered, short] = [0n, 0n, 0n]
  for (const { _id, to, energyKwh } of trades) {
    const settlement = settlements.get(_id.toHexString())
    if (to?.equals(user._id) !== true || settlement === undefined) continue
    const [of, was] = [energyUnits(energyKwh), energyUnits(settlement.deliveredKwh)]
    sold += of
    delivered += was
    short += of - was
  }
  return { soldKwh: energyText(sold), deliveredKwh: energyText(delivered), shortKwh: energyText(short) }
}

function tradeView(
  trade: MarketTransaction,
  settlement: MarketSettlement | undefined,
  nameOf: ReadonlyMap<string, string>,
) {
  const { _id, createdAt, status, from, to, energyKwh, pricePerKwh, amount, deliverFrom, deliverUntil } = trade
  const short = settlement && energyUnits(energyKwh) - energyUnits(settlement.deliveredKwh)
  return {
    id: _id.toHexString(),
    at: createdAt,
    status,
    sellerId: to?.toHexString() ?? null,
    buyerId: from?.toHexString() ?? null,
    seller: nameOf.get(to?.toHexString() ?? '') ?? 'somebody who has left',
    buyer: nameOf.get(from?.toHexString() ?? '') ?? 'somebody who has left',
    energyKwh: energyKwh?.toString() ?? null,
    pricePerKwh: pricePerKwh?.toString() ?? null,
    amount: amount.toString(),
    deliverFrom: deliverFrom ?? null,
    deliverUntil: deliverUntil ?? null,
    deliveredKwh: settlement?.deliveredKwh.toString() ?? null,
    shortKwh: short === undefined ? null : energyText(short),
    penalty: settlement?.penalty.toString() ?? null,
  }
}

const places = 4

/** Energy has four decimals; sums of it are exact in whole units. */
function energyUnits(decimal: { toString(): string } | undefined): bigint {
  return BigInt((decimal?.toString() ?? '0.0000').replace('.', ''))
}

function energyText(units: bigint): string {
  const digits = units.toString().padStart(places + 1, '0')
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`
}
