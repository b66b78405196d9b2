import { expect, it } from 'vitest'
import { aSite } from '../energy/support/site.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()

it('counts each entry once, whoever else counts, and whoever is killed', async () => {
  const volt = await openVolt(database)
  await volt.setup()
  const sites = await Promise.all(Array.from({ length: 4 }, () => aSite(volt)))
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName }
  const work = () => startChild(new URL('./support/roll-up-worker.ts', import.meta.url), { env })
  const workers = [work(), work(), work()]
  await Promise.all(workers.map((worker) => worker.next('started', 60_000)))

  const startMs = Date.parse('2026-03-02T00:00:00Z')
  const rounds = 40
  for (let round = 0; round < rounds; round += 1) {
    // Every third one comes an hour and a half late.
    const at = new Date(startMs + round * 600_000 - (round % 3 === 2 ? 5_400_000 : 0))
    await volt.ledger.append(sites.map(({ event }) => event.power(at.toISOString(), 100 + round)))
    // What one holds who is killed in the middle MongoDB frees after a minute: there is time for that in the long form.
    if (full && round % 10 === 9) {
      await workers.shift()?.kill()
      workers.push(work())
    }
  }
  const counted = () => database.db.collection('rollup_cursors').distinct('through_sequence')
  await eventually('all are counted', async () => (await counted()).join() === String(rounds), {
    timeoutMs: full ? 120_000 : 30_000,
  })
  await Promise.all(workers.map((worker) => worker.kill()))

  const days = { from: '2026-03-01', to: '2026-03-03' }
  expect(await volt.rollUps.verify(days)).toEqual({ valid: true, devices: 4, differences: [] })
  expect(await volt.rollUps.update()).toEqual({ entries: 0, days: 0, conflicts: 0 })
}, 300_000)
