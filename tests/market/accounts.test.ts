import { Decimal128 } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import { checkBooks } from './support/books.js'
import { anArea, anOrder, aTrader, deposit, openMarket, type TestMarket } from './support/market.js'

const database = setUpDatabase()
let market: TestMarket

beforeAll(async () => {
  market = await openMarket(database)
})

describe('accounts of the market', () => {
  it('are never drained below their limit by many that pay at once', async () => {
    const { volt } = market
    const [area, from, to] = [await anArea(volt), await aTrader(volt), await aTrader(volt)]
    await deposit(volt, area, from, '100')
    const pay = (at: number) =>
      volt.market.transfer({ area, type: 'token_transfer', from, to, amount: '60', key: `pay ${at}` })
    const transfers = await Promise.all(Array.from({ length: 16 }, (_, at) => pay(at)))
    await Promise.all([volt.market.run(), volt.market.run()])
    await volt.market.run()
    const ended = await Promise.all(transfers.map(({ _id }) => volt.market.transactions.get(_id)))
    expect(ended.filter(({ status }) => status === 'confirmed')).toHaveLength(1)
    expect(ended.filter(({ status, reason }) => status === 'failed' && reason === 'insufficient_funds')).toHaveLength(
      15,
    )
    expect(await volt.market.balances(from)).toMatchObject([{ balance: '40.000000' }])
    expect(await volt.market.balances(to)).toMatchObject([{ balance: '60.000000' }])
    await checkBooks(database.db, area)
  })

  it('hold ready what an order may cost, and give it back when it ends', async () => {
    const { volt } = market
    const [area, buyer, seller] = [
      await anArea(volt, { penaltyPerKwh: '0.1' }),
      await aTrader(volt),
      await aTrader(volt),
    ]
    await deposit(volt, area, buyer, '1')
    await deposit(volt, area, seller, '1')
    const buy = await volt.market.place(anOrder({ area, user: buyer, side: 'buy', energyKwh: '2', pricePerKwh: '0.3' }))
    const sell = await volt.market.place(
      anOrder({ area, user: seller, side: 'sell', energyKwh: '3', pricePerKwh: '0.2' }),
    )
    await volt.market.run()
    // Bought at the resting price, which is the buyer's; the penalty of 3 kWh is held of the seller.
    expect(await volt.market.balances(buyer)).toMatchObject([{ reserved: '0.600000', available: '0.400000' }])
    expect(await volt.market.balances(seller)).toMatchObject([{ reserved: '0.300000', available: '0.700000' }])
    await volt.market.cancel(sell._id, seller)
    await volt.market.run()
    expect(await volt.market.balances(seller)).toMatchObject([{ reserved: '0.200000' }])
    expect(await volt.market.orders.get(buy._id)).toMatchObject({ status: 'completed' })
    await checkBooks(database.db, area)
  })

  it('may go below zero as far as their credit limit', async () => {
    const { volt } = market
    const [area, from, to] = [await anArea(volt), await aTrader(volt), await aTrader(volt)]
    await volt.market.setCreditLimit({ area, user: from, creditLimit: '5' })
    await volt.market.transfer({ area, type: 'fee_payment', from, to, amount: '5', key: 'one' })
    await volt.market.transfer({ area, type: 'fee_payment', from, to, amount: '0.000001', key: 'two' })
    await volt.market.run()
    expect(await volt.market.balances(from)).toMatchObject([{ balance: '-5.000000', available: '0.000000' }])
    await expect(volt.market.setCreditLimit({ area, user: from, creditLimit: '4.999999' })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    await checkBooks(database.db, area)
  })

  it('are what their journals come to: what is altered is found and named', async () => {
    const { volt } = market
    const [area, user] = [await anArea(volt), await aTrader(volt)]
    for (const amount of ['1', '2', '3']) await deposit(volt, area, user, amount)
    expect(await volt.market.verify(area)).toEqual({ isValid: true, journals: 3, accounts: 2, findings: [] })
    const { db } = database
    const six = Decimal128.fromString('6.000000')
    await db
      .collection('market_accounts')
      .updateOne({ area, user }, { $set: { creditsPosted: Decimal128.fromString('7.000000') } })
    expect(await volt.market.verify(area)).toMatchObject({
      isValid: false,
      findings: [expect.stringContaining('creditsPosted of 7.000000, and its journals come to 6.000000')],
    })
    await db.collection('market_accounts').updateOne({ area, user }, { $set: { creditsPosted: six } })
    await db.collection('market_journals').updateOne({ area, sequence: 2 }, { $set: { at: new Date(0) } })
    expect(await volt.market.verify(area)).toMatchObject({
      findings: ['The journal 2 does not have the hash of what it says'],
    })
    await db.collection('market_journals').deleteOne({ area, sequence: 2 })
    const { findings } = await volt.market.verify(area)
    expect(findings).toContain('There is no journal 2')
  })

  it('take a transfer once for each key, and refuse another one under it', async () => {
    const { volt } = market
    const [area, to] = [await anArea(volt), await aTrader(volt)]
    const transfer = { area, type: 'staking_reward' as const, to, amount: '1', key: 'reward' }
    const all = await Promise.all(Array.from({ length: 8 }, () => volt.market.transfer(transfer)))
    expect(new Set(all.map(({ _id }) => _id.toHexString())).size).toBe(1)
    await expect(volt.market.transfer({ ...transfer, amount: '2' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(volt.market.transfer({ ...transfer, amount: 1 as never })).rejects.toMatchObject({
      code: 'VALIDATION',
    })
  })

  it('have transactions with hashes of a block chain, each once', async () => {
    const { volt } = market
    const [area, to] = [await anArea(volt), await aTrader(volt)]
    const one = await volt.market.transfer({ area, type: 'token_transfer', to, amount: '1', key: 'one' })
    const two = await volt.market.transfer({ area, type: 'token_transfer', to, amount: '1', key: 'two' })
    const chainHash = `0x${'ab'.repeat(32)}`
    const noted = await volt.market.noteOnChain(one._id, {
      chainHash,
      blockNumber: 17,
      confirmations: 6,
      gasFee: '0.000021',
    })
    expect([noted.chainHash, String(noted.gasFee)]).toEqual([chainHash, '0.000021'])
    await expect(volt.market.noteOnChain(two._id, { chainHash })).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})
