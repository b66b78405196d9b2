import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { outcomeOf } from '../../src/market/settlement/outcome.js'
import { evenParts, sharesOf } from '../../src/market/settlement/shares.js'
import { aDevice, aSwitch } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { checkBooks } from './support/books.js'
import { anArea, anOrder, deposit, openMarket, type TestMarket } from './support/market.js'

const database = setUpDatabase()
let market: TestMarket
let names = 0

beforeAll(async () => {
  market = await openMarket(database)
})

/** A user with one metered switch, that has shown who it is. */
async function aMeteredUser(energyRole: 'production' | 'consumption') {
  const { volt } = market
  names += 1
  const user = await volt.users.create({
    name: `Meter ${names}`,
    email: `meter-${names}@example.org`,
    userType: 'prosumer',
  })
  const device = await volt.devices.create(
    aDevice({
      owner: user._id,
      energyRole,
      switches: [aSwitch({ energySource: 'power' })],
      reportingPeriodMs: 900_000,
    }),
  )
  const [{ _id: switchId } = { _id: new ObjectId() }] = device.switches
  const shown = { $set: { lastSignOfLifeAt: new Date('2026-03-02T08:00:00Z') } }
  await database.db.collection('devices').updateOne({ _id: device._id }, shown)
  /** Readings of power, W, at minutes after noon. */
  const read = async (readings: readonly (readonly [minute: number, powerW: number])[]) => {
    await volt.ledger.append(
      readings.map(([minute, powerW]) => ({
        switchId,
        deviceId: device._id,
        classroom: device.classroom ?? new ObjectId(),
        timestamp: new Date(Date.parse('2026-03-02T12:00:00Z') + minute * 60_000),
        receivedAt: new Date(Date.parse('2026-03-02T12:00:00Z') + minute * 60_000),
        eventType: 'power_reading' as const,
        powerState: powerW !== 0,
        powerRating: 5_000,
        energySource: 'power' as const,
        energyDirection: energyRole === 'production' ? ('production' as const) : undefined,
        reading: { powerW },
        gapLimitMs: 2_700_000,
        ratePerKwh: 0,
        flags: [],
        metadata: { source: 'mqtt' as const },
        idempotencyKey: `${switchId.toHexString()} ${minute} ${powerW}`,
      })),
    )
  }
  return { user: user._id, read }
}

const hour = { availableFrom: '2026-03-02T12:00:00Z', availableUntil: '2026-03-02T13:00:00Z' }
const balanceOf = async (user: ObjectId) => (await market.volt.market.balances(user))[0]?.balance
const every15 = (powerW: number) => [0, 15, 30, 45, 60].map((minute) => [minute, minute === 60 ? 0 : powerW] as const)

async function aTrade(seller: ObjectId, buyer: ObjectId, area: ObjectId, energyKwh: string) {
  const { volt } = market
  await volt.market.place(anOrder({ area, user: seller, side: 'sell', energyKwh, pricePerKwh: '0.2', ...hour }))
  const { _id } = await volt.market.place(
    anOrder({ area, user: buyer, side: 'buy', energyKwh, pricePerKwh: '0.2', ...hour }),
  )
  await volt.market.run()
  const [trade] = await volt.market.tradesOf(_id)
  if (trade === undefined) throw new Error('There is no trade')
  return trade._id
}

async function settleAt(time: string) {
  market.clock.set(time)
  const run = await market.volt.market.settle()
  market.clock.set('2026-03-02T09:00:00Z')
  return run
}

const settlementOf = async (trade: ObjectId) => {
  const found = await market.volt.market.settlements.find({ trade }, { sort: { revision: -1 } })
  return found.map(({ deliveredKwh, takenKwh, amount, fee, penalty }) =>
    [deliveredKwh, takenKwh, amount, fee, penalty].map(String),
  )
}

describe('settlement', () => {
  it('pays for what was delivered, takes the fee, and the penalty for the rest; once is as good as twice', async () => {
    const { volt } = market
    const area = await anArea(volt, { feeRate: '0.01', penaltyPerKwh: '0.05' })
    const [seller, buyer] = [await aMeteredUser('production'), await aMeteredUser('consumption')]
    await deposit(volt, area, seller.user, '1')
    await deposit(volt, area, buyer.user, '10')
    const trade = await aTrade(seller.user, buyer.user, area, '2')
    expect((await volt.market.balances(buyer.user))[0]).toMatchObject({ balance: '10.000000', reserved: '0.400000' })
    // 2 kW for the first half hour only: 0.5 kWh of the 0.5 kWh for each of two quarters, nothing of the others.
    await seller.read([
      [0, 2_000],
      [15, 2_000],
      [30, 0],
      [45, 0],
      [60, 0],
    ])
    await buyer.read(every15(1_200))
    expect(await settleAt('2026-03-02T13:59:59Z')).toMatchObject({ settled: 0 })
    expect(await settleAt('2026-03-02T14:00:00Z')).toMatchObject({ settled: 1, corrected: 0 })
    expect(await settlementOf(trade)).toEqual([['1.0000', '1.2000', '0.200000', '0.002000', '0.050000']])
    expect(await volt.market.transactions.get(trade)).toMatchObject({ status: 'confirmed' })
    expect(await balanceOf(buyer.user)).toBe('9.850000')
    expect(await balanceOf(seller.user)).toBe('1.148000')
    expect((await volt.market.balances(buyer.user))[0]).toMatchObject({ reserved: '0.000000', available: '9.850000' })
    expect(await settleAt('2026-03-02T15:00:00Z')).toEqual({ settled: 0, corrected: 0, uncovered: 0 })
    await checkBooks(database.db, area)
    expect(await volt.market.verify(area)).toMatchObject({ isValid: true, findings: [] })
  })

  it('is corrected by what the ledger learns later, and changes nothing that was written', async () => {
    const { volt } = market
    const area = await anArea(volt)
    const [seller, buyer] = [await aMeteredUser('production'), await aMeteredUser('consumption')]
    await deposit(volt, area, buyer.user, '10')
    const trade = await aTrade(seller.user, buyer.user, area, '2')
    await settleAt('2026-03-02T14:00:00Z')
    expect(await balanceOf(buyer.user)).toBe('10.000000')
    const before = await volt.market.journals.find({ area })
    await seller.read(every15(4_000))
    const [from, until] = [new Date('2026-03-02T00:00:00Z'), new Date('2026-03-03T00:00:00Z')]
    expect(await volt.market.resettle(area, from, until)).toEqual({ settled: 0, corrected: 1, uncovered: 0 })
    expect(await volt.market.resettle(area, from, until)).toEqual({ settled: 0, corrected: 0, uncovered: 0 })
    expect(await settlementOf(trade)).toEqual([
      ['2.0000', '0.0000', '0.400000', '0.000000', '0.000000'],
      ['0.0000', '0.0000', '0.000000', '0.000000', '0.000000'],
    ])
    expect([await balanceOf(buyer.user), await balanceOf(seller.user)]).toEqual(['9.600000', '0.400000'])
    expect((await volt.market.journals.find({ area })).slice(0, before.length)).toEqual(before)
    await checkBooks(database.db, area)
  })

  it('shares what is short among all that was sold for the quarter hour', async () => {
    const { volt } = market
    const area = await anArea(volt)
    const [seller, one, two] = [
      await aMeteredUser('production'),
      await aMeteredUser('consumption'),
      await aMeteredUser('consumption'),
    ]
    for (const { user } of [one, two]) await deposit(volt, area, user, '10')
    const small = await aTrade(seller.user, one.user, area, '1')
    const large = await aTrade(seller.user, two.user, area, '2')
    await seller.read(every15(1_000))
    await settleAt('2026-03-02T14:00:00Z')
    expect((await settlementOf(small))[0]?.[0]).toBe('0.3332')
    expect((await settlementOf(large))[0]?.[0]).toBe('0.6668')
  })

  it('leaves a correction that an account has not enough for, and does it once it has', async () => {
    const { volt } = market
    const area = await anArea(volt)
    const [seller, buyer] = [await aMeteredUser('production'), await aMeteredUser('consumption')]
    await deposit(volt, area, buyer.user, '0.4')
    await aTrade(seller.user, buyer.user, area, '2')
    await settleAt('2026-03-02T14:00:00Z')
    const out = { area, type: 'token_transfer' as const, from: buyer.user, amount: '0.3', key: 'out' }
    await volt.market.transfer(out)
    await volt.market.run()
    await seller.read(every15(4_000))
    const [from, until] = [new Date('2026-03-02T00:00:00Z'), new Date('2026-03-03T00:00:00Z')]
    expect(await volt.market.resettle(area, from, until)).toMatchObject({ corrected: 0, uncovered: 1 })
    await deposit(volt, area, buyer.user, '0.3')
    expect(await volt.market.resettle(area, from, until)).toMatchObject({ corrected: 1, uncovered: 0 })
    expect(await balanceOf(buyer.user)).toBe('0.000000')
  })

  it('never pays for not delivering', () => {
    const amounts = { energy: fc.bigInt(1n, 10n ** 14n - 1n), price: fc.bigInt(1n, 10n ** 12n - 1n) }
    const terms = fc.record({
      ...amounts,
      feeRate: fc.bigInt(0n, 999_999n),
      penaltyPerKwh: fc.bigInt(0n, 10n ** 12n - 1n),
    })
    const property = fc.property(terms, fc.bigInt(0n, 10n ** 14n), fc.bigInt(0n, 10n ** 14n), (trade, a, b) => {
      const [less, more] = [a, b].map((one) => one % (trade.energy + 1n)).sort((x, y) => (x < y ? -1 : 1)) as [
        bigint,
        bigint,
      ]
      const earned = (delivered: bigint) => {
        const { amount, fee, penalty } = outcomeOf(trade, delivered)
        return amount - fee - penalty
      }
      expect(earned(less) <= earned(more)).toBe(true)
      expect(earned(0n) <= 0n).toBe(true)
      expect(outcomeOf(trade, trade.energy).penalty).toBe(0n)
    })
    fc.assert(property, { numRuns: 1_000 })
  })

  it('shares whole units that add up', () => {
    const property = fc.property(
      fc.bigInt(0n, 10n ** 12n),
      fc.array(fc.bigInt(1n, 10n ** 12n), { minLength: 1 }),
      (there, wanted) => {
        const shares = sharesOf(there, wanted)
        const sum = (all: readonly bigint[]) => all.reduce((total, one) => total + one, 0n)
        expect(sum(shares)).toBe([there, sum(wanted)].sort((a, b) => (a < b ? -1 : 1))[0])
        for (const [at, share] of shares.entries()) expect(share >= 0n && share <= (wanted[at] ?? 0n)).toBe(true)
        expect(sum(evenParts(there, wanted.length))).toBe(there)
      },
    )
    fc.assert(property, { numRuns: 500 })
  })
})
