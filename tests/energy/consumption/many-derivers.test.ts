import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { type Child, startChild } from '../../support/child.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSite } from '../support/site.js'

const database = testDatabase()
const derivers: Child[] = []
const march = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' }
const sites: Awaited<ReturnType<typeof aSite>>[] = []
let volt: AutoVolt

const startDeriver = () =>
  startChild(new URL('./processes/deriver.ts', import.meta.url), {
    env: { MONGODB_URI: database.uri, DB_NAME: database.dbName },
  })

beforeAll(async () => {
  for (let number = 0; number < 4; number += 1) derivers.push(startDeriver())
  volt = await openVolt(database)
  await volt.setup()
  for (let number = 0; number < 4; number += 1) sites.push(await aSite(volt, { timeZone: 'Asia/Kolkata' }))
  for (const { event } of sites) {
    const hours = Array.from({ length: 200 }, (_, hour) => hour)
    await volt.ledger.append(
      hours.map((hour) =>
        event.power(new Date(Date.parse('2026-03-02T00:00:00Z') + hour * 3_000_000).toISOString(), 100 + hour),
      ),
    )
  }
  await Promise.all(derivers.map((child) => child.next('ready')))
})

/** No interval is there twice, and none is lacking. */
async function expectWhole(): Promise<void> {
  for (const { switchId } of sites) {
    const head = await volt.ledger.findOne({ switchId }, { sort: { sequence: -1 } })
    let energyMws = 0
    let endMs = 0
    for await (const one of volt.intervals.stream({ switch_id: switchId }, { sort: { start_ts: 1 } })) {
      expect(one.start_ts.getTime()).toBeGreaterThanOrEqual(endMs)
      endMs = one.end_ts.getTime()
      energyMws += one.energy_mws
    }
    expect(energyMws).toBe(Math.round((head?.cumulativeEnergy ?? 0) * 1000))
  }
}

describe('several processes', () => {
  it('derive the same time at once, while entries come late', async () => {
    for (const child of derivers) child.send({ type: 'derive', ...march })
    for (const { event } of sites) {
      for (let minute = 7; minute < 50; minute += 9) {
        await volt.ledger.append([event.power(`2026-03-04T11:${String(minute).padStart(2, '0')}:13Z`, 5000)])
      }
    }
    const answers = await Promise.all(derivers.map((child) => child.next('done')))
    expect(answers.filter(({ error }) => error !== undefined)).toEqual([])
    await volt.intervals.derive(march)
    await expectWhole()
  })

  it('can be killed at any moment: the next derivation corrects what they leave', async () => {
    for (const [index, child] of derivers.entries()) {
      await database.db.collection('device_consumption_ledger').deleteMany({ switch_id: sites[index]?.switchId })
      child.send({ type: 'derive', ...march })
      await sleep(15 * index)
      await child.kill()
    }
    await volt.intervals.derive(march)
    await expectWhole()
    expect(await volt.intervals.derive(march)).toMatchObject({ created: 0, changed: 0, removed: 0 })
  })
})
