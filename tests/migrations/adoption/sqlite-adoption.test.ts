import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { loadSolchain } from './origin-data.js'
import { payment, SolchainFile, trade, traders } from './solchain-file.js'

const legacy = fileURLToPath(new URL('../../../../shared/data/legacy/solchain.db', import.meta.url))
const from = 'solchain'
const optionsOf = (file: { readonly path: string }) => ({ from, sqlite: file.path, timeZone: 'UTC', currency: 'EUR' })

/** A handle on an empty database, and what is in it. */
async function target() {
  const database = testDatabase()
  const volt = await openVolt(database)
  const left = async (collection: string) => {
    const found = await database.db
      .collection('adoption_rejects')
      .find({ originCollection: collection, kind: 'left' })
      .toArray()
    return Object.fromEntries(found.map(({ originId, reason }) => [originId, reason]))
  }
  return { database, volt, left }
}

describe('a file of SQLite', () => {
  it('yields what its tables do when they are loaded into the server first', async () => {
    const [byFile, loaded] = [await target(), await target()]
    const origin = testDatabase()
    await loadSolchain(origin.db)
    const common = { timeZone: 'UTC', currency: 'EUR', site: 'Rooftops' }
    const byFileReport = await byFile.volt.migrations.adopt({ ...common, from: origin.dbName, sqlite: legacy })
    const report = await loaded.volt.migrations.adopt({ ...common, from: origin.dbName })
    expect(byFileReport.adopted).toEqual(report.adopted)
    expect(byFileReport.collections).toEqual(report.collections)
    for (const name of [
      'users',
      'devices',
      'market_orders',
      'market_transactions',
      'adoption_rejects',
      'energy_measurements',
    ]) {
      const ids = (one: typeof byFile) =>
        one.database.db
          .collection(name)
          .find({}, { projection: { originCollection: 1, originId: 1, reason: 1, key: 1, email: 1 } })
          .map(({ _id, ...rest }) => JSON.stringify(rest.originId === undefined ? { _id, ...rest } : rest))
          .toArray()
      expect([name, (await ids(byFile)).toSorted()]).toEqual([name, (await ids(loaded)).toSorted()])
    }
  })

  it('gives trades and payments with exact decimals, found again by their numbers', async () => {
    const file = new SolchainFile()
      .add('users', traders)
      .add('trading', [trade(7), trade(8, { offer_type: 'buy', energy_amount: 2, total_price: 0.2 })])
      .add('transactions', [payment(5, 7), payment(6, 8, { amount: 0.2 })])
    const { volt, database } = await target()
    const report = await volt.migrations.adopt({ ...optionsOf(file), area: 'Old neighbourhood' })
    expect(report.adopted).toMatchObject({ users: 2, marketOrders: 2, marketTransactions: 2 })
    const area = await volt.market.areas.findOne({ name: 'Old neighbourhood' })
    const extras = database.db.collection('adoption_extras')
    const idOf = async (originCollection: string, originId: string) =>
      (await extras.findOne({ originDatabase: from, originCollection, originId }))?.adoptedId
    const [sun, lamp] = [await idOf('users', '1'), await idOf('users', '2')]
    const order = await volt.market.orders.get(await idOf('trading', '7'))
    expect(order).toMatchObject({ area: area?._id, user: sun, side: 'sell', status: 'completed', isOpen: false })
    expect([order.energyKwh, order.pricePerKwh, order.totalValue, order.filledKwh].map(String)).toEqual([
      '0.3000',
      '0.100000',
      '0.030000',
      '0.3000',
    ])
    expect([order.createdAt, order.endedAt, order.availableFrom, order.availableUntil]).toEqual(
      ['12:10', '12:15', '12:00'].map((time) => new Date(`2025-08-22T${time}:00Z`)).concat(new Date('2025-08-23')),
    )
    const [paid] = await volt.market.tradesOf(order._id)
    expect(paid).toMatchObject({
      type: 'energy_trade',
      status: 'confirmed',
      from: lamp,
      to: sun,
      chainHash: `0x${'5'.padStart(64, '0')}`,
      blockNumber: 105,
      confirmations: 12,
      metadata: { originalRecordId: '5' },
      createdAt: new Date('2025-08-22T12:16:00Z'),
    })
    // 0.3 * 0.1 is 0.03 in decimals, and something else in doubles.
    expect([paid?.amount, paid?.energyKwh, paid?.gasFee].map(String)).toEqual(['0.030000', '0.3000', '0.000420'])
    const bought = await volt.market.orders.get(await idOf('trading', '8'))
    expect(bought).toMatchObject({ user: lamp, side: 'buy' })
  })

  it('is history: it moves no account, is matched and settled by nobody, and is in no report of the market', async () => {
    const file = new SolchainFile()
      .add('users', traders)
      .add('trading', [trade(1)])
      .add('transactions', [payment(1, 1), payment(2, 1, { status: 'pending' })])
    const { volt } = await target()
    await volt.migrations.adopt(optionsOf(file))
    const area = await volt.market.areas.findOne({ name: from })
    const id = area?._id ?? ''
    await volt.market.run()
    expect(await volt.market.settle()).toEqual({ settled: 0, corrected: 0, uncovered: 0 })
    expect(await volt.market.verify(id)).toMatchObject({ isValid: true, journals: 0, accounts: 0 })
    const day = { from: new Date('2025-08-22'), until: new Date('2025-08-23') }
    const user = (await volt.users.findOne({ email: 'lamp@example.org' }))?._id ?? ''
    expect(await volt.market.report({ user, ...day, gridCo2KgPerKwh: '0.5' })).toMatchObject({
      trades: 0,
      unsettled: 0,
    })
    expect(await volt.market.priceStatistics({ area: id, ...day, step: 'day' })).toMatchObject([
      { trades: 2, energyKwh: '0.6000', meanPricePerKwh: '0.100000' },
    ])
    const lines: string[] = []
    for await (const line of volt.market.taxExport({ user, ...day })) lines.push(line)
    const told = lines.slice(1).map((line) => line.trimEnd().split(',').slice(3))
    expect(told.toSorted((a, b) => `${a[1]}`.localeCompare(`${b[1]}`))).toEqual([
      ['energy_trade', 'confirmed', 'payer', expect.any(String), '0.3000', '0.100000', '0.000000', '0.030000'],
      ['energy_trade', 'pending', 'payer', expect.any(String), '0.3000', '0.100000', '0.000000', '0.000000'],
    ])
  })

  it('leaves what does not fit whole, with the reason, and takes the rest of a row without what cannot be used', async () => {
    const file = new SolchainFile()
      .add('users', traders)
      .add('trading', [
        trade(1),
        trade(2, { total_price: 0.52 }),
        trade(3, { energy_amount: 0.12345, total_price: 0.012345 }),
        trade(4, { energy_amount: 'much' }),
        trade(5, { energy_amount: -0.3, total_price: -0.03 }),
        trade(6, { buyer_id: 99 }),
        trade(7, { buyer_id: 1 }),
        trade(8, { created_at: '22/08/2025' }),
        trade(9, { status: 'matched' }),
        trade(10, { status: 'pending', expires_at: '2999-01-01 00:00:00' }),
        trade(11, { status: 'lost' }),
        trade(12, { buyer_id: null }),
        trade(13, { offer_type: 'swap' }),
        trade(14, { energy_amount: 1e300, total_price: 1e299 }),
      ])
    file.add('transactions', [
      payment(1, 1),
      payment(2, 1, { transaction_hash: `0X${'1'.padStart(64, '0')}` }),
      payment(3, 2),
      payment(4, 77),
      payment(5, 1, { transaction_type: 'gift' }),
      payment(6, 1, { transaction_type: 'transfer', amount: 1e-18 }),
      payment(7, 1, { from_user_id: null, to_user_id: null }),
      payment(8, 1, { amount: 0.5, gas_fee: 1e-9, transaction_hash: 'tx8', block_number: -1 }),
      payment(9, 1, { reference_id: null, amount: 0.25 }),
    ])
    const { volt, left, database } = await target()
    const report = await volt.migrations.adopt(optionsOf(file))
    expect(report.adopted).toMatchObject({ marketOrders: 1, marketTransactions: 3 })
    expect(await left('trading')).toEqual({
      2: 'the total is not amount by price',
      3: 'energy_amount has more than 4 decimals, or is out of range',
      4: 'energy_amount is no number',
      5: expect.stringMatching(/energyKwh: expected at least 0.0001/),
      6: 'of a user that is not there',
      7: 'with oneself',
      8: 'a time in a form that is not known',
      9: expect.stringMatching(/has not ended.*adopt again/),
      10: expect.stringMatching(/still open.*volt\.market\.place/),
      11: 'a status that is not known',
      12: 'completed without an other side',
      13: 'an offer_type that is not known',
      14: 'energy_amount has more than 4 decimals, or is out of range',
    })
    expect(await left('transactions')).toEqual({
      2: expect.stringMatching(/has its chainHash.*Next/),
      3: 'for a trade that was left',
      4: 'for a trade that is not there',
      5: 'a transaction_type that is not known',
      6: 'amount has more than 6 decimals, or is out of range',
      7: 'of nobody',
    })
    const noted = await database.db
      .collection('adoption_rejects')
      .find({ originCollection: 'transactions', kind: 'noted' })
      .toArray()
    expect(Object.fromEntries(noted.map(({ originId, reason }) => [originId, reason]))).toEqual({
      8: 'it is another amount than that of its trade; transaction_hash is no hash of a block chain: it was not taken; gas_fee has more than 6 decimals, or is out of range: it was not taken; blockNumber is no number of anything: it was not taken',
      9: 'it names no trade: its energy is not known',
    })
    const reject = await database.db
      .collection('adoption_rejects')
      .findOne({ originCollection: 'trading', originId: '2' })
    expect(reject?.document).toMatchObject({
      id: 2,
      energy_amount: 0.3,
      total_price: 0.52,
      created_at: '2025-08-22 12:10:00',
    })
    const of = Object.fromEntries(report.collections.map((one) => [one.collection, one]))
    expect(of.trading).toMatchObject({ documents: 14, treatment: 'adopted', left: 13 })
    expect(of.transactions).toMatchObject({ documents: 9, left: 6, noted: 2 })
  })

  it('only says what it would do, where it is asked that, the same as it does then', async () => {
    const file = new SolchainFile()
      .add('users', traders)
      .add('trading', [trade(1), trade(2, { total_price: 9 })])
      .add('transactions', [payment(1, 1), payment(2, 2)])
    const { volt, database } = await target()
    const assessment = await volt.migrations.assessAdoption(optionsOf(file))
    expect(await database.db.listCollections().toArray()).toEqual([])
    const report = await volt.migrations.adopt(optionsOf(file))
    expect(assessment.collections).toEqual(report.collections)
    expect(assessment.adopted).toEqual(report.adopted)
  })
})

describe('a later run of a file', () => {
  it('takes nothing twice, what has come since, and what has changed there and not here', async () => {
    const file = new SolchainFile()
      .add('users', traders)
      .add('trading', [trade(1), trade(2, { status: 'matched', completed_at: null }), trade(3)])
      .add('transactions', [
        payment(1, 1, { status: 'pending', confirmed_at: null }),
        payment(3, 3),
        payment(5, 1, { transaction_type: 'transfer', amount: 1, status: 'pending', confirmed_at: null }),
      ])
    const { volt, database, left } = await target()
    await volt.migrations.adopt(optionsOf(file))
    const read = () =>
      database.db
        .collection('market_transactions')
        .find({}, { sort: { 'metadata.originalRecordId': 1 } })
        .toArray()
    const before = await read()
    await volt.migrations.adopt(optionsOf(file))
    expect(await read()).toEqual(before)
    expect(Object.keys(await left('trading'))).toEqual(['2'])

    const [first, third] = before
    await volt.market.noteOnChain(third?._id ?? '', { chainHash: `0x${'c'.repeat(64)}`, confirmations: 99 })
    file.run("update trading set status = 'completed', completed_at = '2025-08-22 13:00:00' where id = 2")
    file.run("update transactions set status = 'confirmed', confirmed_at = 1755865020000 where id = 1")
    file.run("update transactions set status = 'cancelled' where id = 5")
    file.run('update transactions set block_number = 7 where id = 3')
    file.add('transactions', [payment(4, 2)])
    const report = await volt.migrations.adopt(optionsOf(file))
    expect(report.adopted).toMatchObject({ marketOrders: 3, marketTransactions: 4 })
    expect(await left('trading')).toEqual({})
    const after = await read()
    expect(after.map(({ status }) => status)).toEqual(['confirmed', 'confirmed', 'confirmed', 'cancelled'])
    expect(after[0]).toMatchObject({
      _id: first?._id,
      createdAt: first?.createdAt,
      confirmedAt: new Date('2025-08-22T12:17:00Z'),
      __v: 1,
    })
    // What was changed here stays.
    expect(after[1]).toMatchObject({ chainHash: `0x${'c'.repeat(64)}`, confirmations: 99, blockNumber: 103 })
    const noted = await database.db
      .collection('adoption_rejects')
      .findOne({ originCollection: 'transactions', originId: '3' })
    expect(noted).toMatchObject({ kind: 'noted', reason: expect.stringMatching(/changed in the origin and here/) })
  })

  it('takes back all of it', async () => {
    const file = new SolchainFile()
      .add('users', traders)
      .add('trading', [trade(1)])
      .add('transactions', [payment(1, 1)])
    const { volt, database } = await target()
    await volt.migrations.adopt(optionsOf(file))
    expect(await volt.migrations.removeAdoption(from)).toEqual(
      expect.arrayContaining(['users', 'market_areas', 'market_orders', 'market_transactions', 'adoption_extras']),
    )
    expect(await database.db.collection('market_orders').countDocuments()).toBe(0)
  })

  it('keeps what is traded here apart: neither shares its area, nor takes it back with the adoption', async () => {
    const file = new SolchainFile().add('users', traders).add('trading', [trade(1)])
    const database = setUpDatabase()
    const volt = await openVolt(database)
    await volt.market.areas.create({ name: from })
    await expect(volt.migrations.adopt(optionsOf(file))).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/market area solchain already.*`area`/),
    })
    await volt.migrations.adopt({ ...optionsOf(file), area: 'Before' })
    await expect(volt.migrations.removeAdoption(from)).rejects.toMatchObject({
      code: 'NOT_EMPTY',
      message: expect.stringMatching(/1 documents of market_areas/),
    })
  })
})

describe('what is asked of a file', () => {
  it('is refused where it cannot be had', async () => {
    const { volt } = await target()
    const file = new SolchainFile()
    const { signal } = new AbortController()
    const options = optionsOf(file)
    await expect(volt.migrations.followAdoption({ ...options, signal } as never)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/adopt it again/),
    })
    await expect(volt.migrations.adopt({ ...options, sqlite: `${file.path}.gone` })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    file.run('drop table iot_devices')
    await expect(volt.migrations.adopt(options)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/looks like no database of a system that is known/),
    })
  })
})
