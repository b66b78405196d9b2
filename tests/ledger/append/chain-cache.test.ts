import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { ChainCache } from '../../../src/ledger/append/chain-cache.js'
import { ChainStore } from '../../../src/ledger/append/chain-store.js'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSwitchInLedger, readings } from '../support/events.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const aCache = (maximum: number) => {
  const collection = () => database.db.collection<LedgerEntry>('power_consumption_ledger')
  return new ChainCache(
    { chains: new ChainStore(collection, async () => new Set()), facts: volt.ledger.facts },
    maximum,
    () => undefined,
  )
}
const ids = (...chains: ObjectId[]) => new Map(chains.map((id) => [id.toHexString(), id]))

describe('the chains that a writer keeps', () => {
  it('are read once, and again when they were forgotten', async () => {
    const id = new ObjectId()
    const cache = aCache(5)
    const first = (await cache.load(ids(id))).get(id.toHexString())
    expect((await cache.load(ids(id))).get(id.toHexString())).toBe(first)
    cache.forget(id.toHexString())
    expect((await cache.load(ids(id))).get(id.toHexString())).not.toBe(first)
  })

  it('are given to those who asked, whatever is forgotten meanwhile', async () => {
    const [a, b] = [new ObjectId(), new ObjectId()]
    const cache = aCache(5)
    const chains = await cache.load(ids(a, b))
    cache.forget(a.toHexString())
    expect([...chains.keys()]).toEqual([a.toHexString(), b.toHexString()])
  })

  it('are as many as fit: those known for longest go, none that is asked for with the new ones', async () => {
    const [a, b, c, d] = Array.from({ length: 4 }, () => new ObjectId()) as [ObjectId, ObjectId, ObjectId, ObjectId]
    const cache = aCache(3)
    const before = await cache.load(ids(a, b, c))
    const isKept = async (id: ObjectId) =>
      (await cache.load(ids(id))).get(id.toHexString()) === before.get(id.toHexString())
    await cache.load(ids(a, d))
    expect([await isKept(c), await isKept(a)]).toEqual([true, true])
    expect(await isKept(b)).toBe(false)
  })

  it('may be more than fit where one batch needs them', async () => {
    const many = Array.from({ length: 10 }, () => new ObjectId())
    expect((await aCache(3).load(ids(...many))).size).toBe(10)
  })

  it('know where they stand', async () => {
    const own = aSwitchInLedger()
    await volt.ledger.append(readings(3, own))
    const chain = (await aCache(3).load(ids(own.switchId))).get(own.switchId.toHexString())
    expect(chain?.storedSequence).toBe(3)
  })
})
