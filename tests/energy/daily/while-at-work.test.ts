import { beforeAll, beforeEach, expect, it } from 'vitest'
import { type Child, startChild } from '../../support/child.js'
import { testDatabase } from '../../support/database.js'
import { full } from '../../support/extent.js'
import { aSite } from '../support/site.js'
import { type BothWays, bothWays, empty, expectSame } from './support/both-ways.js'

const database = testDatabase()
const march = { from: '2026-03-01', to: '2026-03-10' }
const startMs = Date.parse('2026-03-02T00:00:00Z')
let both: BothWays

beforeAll(async () => {
  both = await bothWays(database)
})
beforeEach(() => empty(database))

async function aWorker(): Promise<Child> {
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, FROM: march.from, TO: march.to }
  const worker = startChild(new URL('./processes/roll-up-worker.ts', import.meta.url), { env })
  await worker.next('ready')
  return worker
}

const setPrice = (pricePerKwh: number, startsAt = '2020-01-01T00:00:00Z') =>
  both.volt.tariffs.set({ startsAt, currency: 'EUR', pricePerKwh })

it('is what the ledger alone says while workers keep, rebuild and re-cost the roll-ups, and are killed at it', async () => {
  const { volt } = both
  await setPrice(0.3)
  const sites = await Promise.all(
    ['UTC', 'Asia/Kathmandu', 'Europe/Berlin'].map((timeZone) => aSite(volt, { timeZone })),
  )
  const workers = await Promise.all([aWorker(), aWorker(), aWorker()])
  for (let round = 0; round < (full ? 48 : 8); round += 1) {
    const events = sites.flatMap(({ event }, site) =>
      Array.from({ length: 40 }, (_, n) => {
        // Every fifth comes a day and a half late.
        const atMs = startMs + (round * 40 + n) * 600_000 - (n % 5 === 4 ? 130_000_000 : 0)
        const time = new Date(atMs).toISOString()
        return site === 0 ? event.rated(time, n % 2 === 0) : event.power(time, 100 + ((n * 7) % 13))
      }),
    )
    await volt.ledger.append(events)
    if (round % 4 === 1) await setPrice(0.3 + round / 100)
    if (round % 6 === 2) await setPrice(0.5, new Date(startMs + round * 7_000_000).toISOString())
    if (round % 8 === 3)
      await volt.classrooms.update(sites[1]!.room, { timeZone: round % 16 === 3 ? 'UTC' : 'Asia/Kathmandu' })
    for (let asked = 0; asked < (full ? 3 : 1); asked += 1) await expectSame(both, march)
    if (round % 8 === 7) {
      await workers.shift()?.kill()
      workers.push(await aWorker())
    }
  }
  await Promise.all(workers.map((worker) => worker.kill()))
  await expectSame(both, march)
  expect(await database.db.collection('rollup_cursors').countDocuments()).toBe(sites.length)
}, 600_000)

it('is of one moment: what is moved from one switch to another in a transaction is never there twice, nor gone', async () => {
  const { volt } = both
  const sites = await Promise.all([aSite(volt), aSite(volt), aSite(volt)])
  const mws = async () => {
    const days = await volt.energy.dailyBySwitch(march)
    return days.reduce((sum, { energyKwh }) => sum + Math.round(energyKwh * 3.6e9), 0)
  }
  await volt.ledger.append(
    sites.flatMap(({ event }) => [event.power('2026-03-02T10:00:00Z', 1000), event.power('2026-03-02T12:00:00Z', 0)]),
  )
  const whole = await mws()
  expect(whole).toBe(3 * 2 * 3.6e9)
  const workers = await Promise.all([aWorker(), aWorker()])
  let isDone = false
  let asked = 0
  const move = async () => {
    for (let n = 0; n < (full ? 40 : 12) || asked <= 5; n += 1) {
      const [from, to] = [sites[n % 3]!, sites[(n + 1) % 3]!]
      const time = `2026-03-0${2 + (n % 5)}T08:00:00Z`
      await volt.transaction(() =>
        volt.ledger.append([
          from.event.adjustment(time, { energyWs: -(n + 1), productionWs: 0, cost: 0 }),
          to.event.adjustment(time, { energyWs: n + 1, productionWs: 0, cost: 0 }),
        ]),
      )
    }
    isDone = true
  }
  const sums = new Set<number>()
  const ask = async () => {
    for (; !isDone; asked += 1) sums.add(await mws())
  }
  await Promise.all([move(), ask(), ask()])
  expect([...sums]).toEqual([whole])
  expect(asked).toBeGreaterThan(5)
  await Promise.all(workers.map((worker) => worker.kill()))
}, 600_000)
