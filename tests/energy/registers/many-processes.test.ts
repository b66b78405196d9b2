import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { Device } from '../../../src/devices/device.js'
import { type Child, startChild } from '../../support/child.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import {
  aMeteredDevice,
  asMeasurement,
  energyInLedger,
  energyOf,
  entriesOf,
  noonMs,
  type Said,
} from './support/metered.js'

const database = testDatabase()
const takers: Child[] = []
const devices: Device[] = []
let volt: AutoVolt

beforeAll(async () => {
  for (let number = 0; number < 2; number += 1) {
    takers.push(
      startChild(new URL('./processes/register-taker.ts', import.meta.url), {
        env: { MONGODB_URI: database.uri, DB_NAME: database.dbName },
      }),
    )
  }
  volt = await openVolt(database)
  await volt.setup()
  for (let number = 0; number < 3; number += 1) devices.push(await aMeteredDevice(volt, { energySource: 'power' }))
  await Promise.all(takers.map((child) => child.next('ready')))
})

it('any number of processes take registers, and can be killed, while measurements come late', async () => {
  const said: Said[] = Array.from({ length: 240 }, (_, minute) => ({
    atMs: noonMs + minute * 60_000,
    powerW: (minute * 37) % 500,
    boot: 'b',
    sequence: minute,
  }))
  const [killed, other] = takers as [Child, Child]
  for (const child of takers) child.send({ type: 'take' })
  // Every fourth at a time: each later quarter of them lies among those that are there.
  for (const phase of [3, 1, 0, 2]) {
    const batch = said.filter((_, index) => index % 4 === phase)
    for (const device of devices) await volt.measurements.insert(batch.map((one) => asMeasurement(device, one)))
    if (phase === 1) {
      await killed.next('taken')
      await killed.kill()
    }
  }
  other.send({ type: 'stop' })
  expect(await other.next('done')).not.toHaveProperty('error')
  await volt.registers.update()
  for (const device of devices) {
    const expected = energyOf(device, said)
    expect(await energyInLedger(database, device)).toEqual(expected)
    const entries = await entriesOf(database, device)
    const sumMws = [...expected.values()].reduce((sum, one) => sum + one, 0)
    expect(Math.round((entries.at(-1)?.cumulativeEnergy ?? 0) * 1000)).toBe(sumMws)
    const keys = entries.map(({ timestamp, metadata }) => `${timestamp.getTime()} ${metadata.deviceSequence}`)
    expect(new Set(keys).size).toBe(keys.length)
  }
  expect(await database.db.collection('register_marks').countDocuments()).toBe(0)
})
