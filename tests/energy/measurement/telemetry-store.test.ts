import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { ValidationError } from '../../../src/core/errors.js'
import type { TelemetryEventInput } from '../../../src/energy/measurement/telemetry-event.js'
import { spoil } from '../../entities/bad-documents.js'
import { catalogues } from '../../entities/catalogues.js'
import { aDevice, aTelemetryEvent } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
let volt: AutoVolt
const stored = () => database.db.collection('telemetry_events')
const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10) + seconds * 1000)

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  await stored().deleteMany({})
})

it('stores values of sensors, with the site and the owner of the device', async () => {
  const owner = new ObjectId()
  const device = await volt.devices.create(aDevice({ owner }))
  await volt.telemetry.insert([aTelemetryEvent({ meta: { device: device._id } })])
  const { items } = await volt.telemetry.page({ site: device.classroom })
  expect(items).toMatchObject([
    { name: 'temperature', value: 31.5, meta: { device: device._id, owner, site: device.classroom } },
  ])
})

it('reads them by time, without copies', async () => {
  const meta = { device: new ObjectId() }
  const events = [0, 1, 1, 2].map((second) => aTelemetryEvent({ meta, timestamp: at(second), value: second }))
  const heartbeat = { ...aTelemetryEvent({ meta, timestamp: at(1) }), type: 'heartbeat' as const }
  await volt.telemetry.insert([...events, heartbeat])
  const types: string[] = []
  for await (const { type, value } of volt.telemetry.stream({ device: meta.device, order: 'oldest' }))
    types.push(`${type} ${String(value)}`)
  expect(types).toEqual(['sensor 0', 'sensor 1', 'heartbeat 31.5', 'sensor 2'])
  const first = await volt.telemetry.page({ device: meta.device, from: at(1) }, { limit: 2 })
  expect(first.items.map(({ timestamp }) => timestamp)).toEqual([at(2), at(1)])
  const second = await volt.telemetry.page({ device: meta.device, from: at(1) }, { cursor: first.nextCursor })
  expect(second).toMatchObject({ items: [{ timestamp: at(1) }], hasNext: false })
})

it('refuses all of them if one is bad, in any way that the catalogue knows', async () => {
  const { good, bad } = catalogues.telemetry
  for (const spoilt of bad) {
    const inputs = [good(), spoil(good(), spoilt)] as unknown as TelemetryEventInput[]
    const error: unknown = await volt.telemetry.insert(inputs).catch((one: unknown) => one)
    expect({ spoilt, error }).toEqual({ spoilt, error: expect.any(ValidationError) })
    expect((error as ValidationError).issues.map(({ path }) => path)).toContain(`1.${spoilt.path}`)
  }
  expect(await stored().countDocuments()).toBe(0)
})
