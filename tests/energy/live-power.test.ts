import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aDevice, aSwitch } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { aSite, emptyBeforeEach, eventsOf } from './support/site.js'

const database = setUpDatabase()
const now = new Date('2026-03-02T12:00:00Z')
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { clock: { now: () => now } })
  await volt.setup()
})
emptyBeforeEach(database)

const gapLimitMs = 60_000
const aMinuteAgo = '2026-03-02T11:59:00Z'
const longAgo = '2026-03-02T11:58:59Z'

describe('what a classroom draws now', () => {
  it('is nothing where nothing was heard of its switches', async () => {
    const { room } = await aSite(volt)
    expect(await volt.energy.livePower()).toEqual([{ classroom: room, powerW: 0, switchesOn: 0 }])
  })

  it('is the power that was measured last, as long as it holds', async () => {
    const { room, event } = await aSite(volt)
    await volt.ledger.append([
      event.power(aMinuteAgo, 58.5, { gapLimitMs }),
      event.power('2026-03-02T11:30:00Z', 1000, { gapLimitMs }),
    ])
    expect(await volt.energy.livePower()).toEqual([{ classroom: room, powerW: 58.5, switchesOn: 1 }])
  })

  it('is what feeds back, as a negative power', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([event.power(aMinuteAgo, -200)])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: -200, switchesOn: 1 }])
  })

  it('is the power that came with a counter reading, and unknown where none came', async () => {
    const [with_, without] = [await aSite(volt), await aSite(volt)]
    await volt.ledger.append([
      with_.event.counter(aMinuteAgo, 5, { reading: { energyWh: 5000, powerW: 40 } }),
      without.event.counter(aMinuteAgo, 5),
    ])
    expect(await volt.energy.livePower()).toMatchObject([
      { powerW: 40, switchesOn: 1 },
      { powerW: 0, switchesOn: 0 },
    ])
  })

  it('is not known after the gap limit', async () => {
    const { event } = await aSite(volt)
    await volt.ledger.append([event.power(longAgo, 58.5, { gapLimitMs })])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: 0, switchesOn: 0 }])
  })

  it('is the rating of what is on, and of nothing that is off', async () => {
    const { room, event } = await aSite(volt)
    const { event: other } = {
      event: eventsOf(await volt.devices.create(aDevice({ classroom: room, switches: [aSwitch()] }))),
    }
    await volt.ledger.append([
      event.rated(aMinuteAgo, true, { powerRating: 75, gapLimitMs }),
      other.rated(aMinuteAgo, false, { powerRating: 60, gapLimitMs }),
    ])
    expect(await volt.energy.livePower()).toEqual([{ classroom: room, powerW: 75, switchesOn: 1 }])
  })

  it('is the rating as long as the device shows signs of life', async () => {
    const heard = await aSite(volt, { lastSignOfLifeAt: new Date(aMinuteAgo) })
    const silent = await aSite(volt, { lastSignOfLifeAt: new Date(longAgo) })
    for (const { event } of [heard, silent]) {
      await volt.ledger.append([event.rated('2026-03-01T00:00:00Z', true, { powerRating: 75, gapLimitMs })])
    }
    expect(await volt.energy.livePower()).toEqual([
      { classroom: heard.room, powerW: 75, switchesOn: 1 },
      { classroom: silent.room, powerW: 0, switchesOn: 0 },
    ])
  })

  it('is nothing of a rated switch after a restart, until its state is reported', async () => {
    const { event } = await aSite(volt, { lastSignOfLifeAt: new Date(aMinuteAgo) })
    const sign = (eventType: 'sign_of_life' | 'restart', time: string) =>
      event.rated(time, false, { eventType, powerState: false, metadata: { source: 'mqtt', bootId: '2' } })
    await volt.ledger.append([
      event.rated('2026-03-01T00:00:00Z', true, { powerRating: 75 }),
      sign('sign_of_life', '2026-03-01T01:00:00Z'),
    ])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: 75 }])
    await volt.ledger.append([sign('restart', '2026-03-02T11:00:00Z')])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: 75 }])
    await volt.ledger.append([
      event.rated('2026-03-02T11:30:00Z', false, {
        eventType: 'restart',
        powerState: false,
        metadata: { source: 'mqtt', bootId: '3' },
      }),
    ])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: 0, switchesOn: 0 }])
  })

  it('passes over entries that say nothing about energy', async () => {
    const { event } = await aSite(volt)
    const later = '2026-03-02T11:59:30Z'
    await volt.ledger.append([
      event.power(aMinuteAgo, 30),
      event.power(later, 0, { eventType: 'switch_off', powerState: false, reading: undefined }),
      ...[1, 2, 3, 4, 5].map((energyWh) => event.power(later, 0, { reading: { energyWh } })),
    ])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: 30 }])
  })

  it('goes by the newest of what was told of one instant, not by what arrived last', async () => {
    const { event } = await aSite(volt)
    const told = (deviceSequence: number, powerW: number) =>
      event.power(aMinuteAgo, powerW, { metadata: { source: 'mqtt', bootId: '1', deviceSequence } })
    await volt.ledger.append([told(3, 30), told(7, 70), told(5, 50), told(1, 10), told(2, 20)])
    expect(await volt.energy.livePower()).toMatchObject([{ powerW: 70 }])
  })

  it('is that of the classroom that the device is in, and of no device that was deleted', async () => {
    const { device, room, event } = await aSite(volt)
    const other = await aSite(volt)
    await volt.ledger.append([event.power(aMinuteAgo, 100), other.event.power(aMinuteAgo, 7)])
    await volt.devices.update(other.device._id, { classroom: room })
    expect(await volt.energy.livePower()).toEqual([{ classroom: room, powerW: 107, switchesOn: 2 }])
    await volt.devices.delete(device._id)
    expect(await volt.energy.livePower()).toEqual([{ classroom: room, powerW: 7, switchesOn: 1 }])
  })
})
