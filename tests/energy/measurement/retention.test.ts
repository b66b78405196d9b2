import { expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const day = 86_400

it('is set, changed and taken back by setup, on collections that are there', async () => {
  const database = setUpDatabase()
  const expiryOf = async (name: string) => {
    const [found] = await database.db.listCollections({ name }).toArray()
    return (found as { options?: { expireAfterSeconds?: number } } | undefined)?.options?.expireAfterSeconds
  }
  const expiries = async () => ({
    measurements: await expiryOf('energy_measurements'),
    telemetry: await expiryOf('telemetry_events'),
    marks: (await database.db.collection('energy_measurement_marks').indexes()).find(
      ({ name }) => name !== '_id_' && name?.startsWith('timestamp'),
    )?.expireAfterSeconds,
  })
  const kept = await openVolt(database)
  await kept.setup()
  expect(await expiries()).toEqual({ measurements: undefined, telemetry: undefined, marks: undefined })

  for (const measurements of [90 * day, 30 * day]) {
    const volt = await openVolt(database, { expireAfterSeconds: { measurements, telemetry: 7 * day } })
    const { collections } = await volt.setup({ dryRun: true })
    const differing = collections.filter(({ state }) => state === 'different').map(({ collection }) => collection)
    expect(differing).toEqual(expect.arrayContaining(['energy_measurements', 'energy_measurement_marks']))
    await volt.setup()
    expect(await volt.setup()).toMatchObject({ isComplete: true })
    expect(await expiries()).toEqual({ measurements, telemetry: 7 * day, marks: measurements })
  }

  expect(await kept.setup()).toMatchObject({ isComplete: false })
  expect(await expiries()).toEqual({ measurements: undefined, telemetry: undefined, marks: undefined })
})

it.each([
  { measurements: 0 },
  { measurements: 1.5 },
  { telemetry: 2 ** 31 },
  { telemetry: '90 d' as never },
  { ledger: 5 } as never,
])('cannot be %j', async (expireAfterSeconds) => {
  const { uri, dbName } = setUpDatabase()
  await expect(AutoVolt.open({ uri, dbName, expireAfterSeconds })).rejects.toMatchObject({ code: 'CONFIGURATION' })
})
