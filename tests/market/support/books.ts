import { createHash } from 'node:crypto'
import type { Db, Document, ObjectId } from 'mongodb'
import { expect } from 'vitest'

const units = (decimal: unknown) => BigInt(String(decimal).replace('.', ''))
const counters = ['debitsPending', 'debitsPosted', 'creditsPending', 'creditsPosted'] as const

/**
 * Adds the books of an area up by hand, with the plain driver: every account is what its journals come to, all of them come to zero, the chain
 * of journals holds, no user is below the limit, each order is filled by its trades, and what is reserved is reserved for something.
 * @returns what users may still spend, in units.
 */
export async function checkBooks(db: Db, area: ObjectId): Promise<{ readonly free: ReadonlyMap<string, bigint> }> {
  const find = (name: string, sort: Document = { _id: 1 }) => db.collection(name).find({ area }).sort(sort).toArray()
  const accounts = await find('market_accounts')
  const journals = await find('market_journals', { sequence: 1 })
  const sums = new Map<string, bigint>()
  let previous = '0'.repeat(64)
  for (const [at, { sequence, lines, previousHash, hash, at: time }] of journals.entries()) {
    expect([sequence, previousHash]).toEqual([at + 1, previous])
    const rows = lines.map((line: Document) => [
      String(line.account),
      line.counter,
      String(line.amount),
      line.reason,
      String(line.subject),
    ])
    previous = createHash('sha256')
      .update(JSON.stringify([String(area), sequence, time.toISOString(), rows, previousHash]))
      .digest('hex')
    expect(hash).toBe(previous)
    for (const line of lines as Document[]) {
      const key = `${String(line.account)} ${line.counter}`
      sums.set(key, (sums.get(key) ?? 0n) + units(line.amount))
    }
  }
  const head = await db.collection('market_areas').findOne({ _id: area })
  expect([head?.journalSequence, head?.journalHash]).toEqual([journals.length, previous])
  const free = new Map<string, bigint>()
  const total = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n }
  for (const account of accounts) {
    for (const counter of counters) {
      expect(units(account[counter])).toBe(sums.get(`${String(account._id)} ${counter}`) ?? 0n)
      total[counter] += units(account[counter])
    }
    if (account.kind !== 'user') continue
    const left = units(account.creditsPosted) - units(account.debitsPosted) - units(account.debitsPending)
    expect(left + units(account.creditLimit) >= 0n).toBe(true)
    free.set(String(account.user), left)
  }
  expect(total.debitsPending).toBe(total.creditsPending)
  expect(total.debitsPosted).toBe(total.creditsPosted)
  await checkFills(db, area)
  return { free }
}

async function checkFills(db: Db, area: ObjectId): Promise<void> {
  const filled = new Map<string, bigint>()
  for await (const { buyOrder, sellOrder, energyKwh } of db
    .collection('market_transactions')
    .find({ area, type: 'energy_trade' }))
    for (const order of [buyOrder, sellOrder])
      filled.set(String(order), (filled.get(String(order)) ?? 0n) + units(energyKwh))
  for await (const order of db.collection('market_orders').find({ area })) {
    expect(units(order.filledKwh)).toBe(filled.get(String(order._id)) ?? 0n)
    if (!order.isOpen && order.due === undefined) expect(units(order.reservedAmount)).toBe(0n)
  }
}
