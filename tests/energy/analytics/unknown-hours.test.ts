import type { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { HostEvent } from '../../ledger/support/events.js'
import { aDevice, aSwitch } from '../../support/builders.js'
import { aSite, eventsOf } from '../support/site.js'
import { analyticsDatabase } from './support/analytics.js'

/** Clocks say noon of Tuesday, the 31st. */
const { volt, analytics } = await analyticsDatabase()
const today = { from: '2026-03-31', to: '2026-03-31' }
const nowMs = Date.parse('2026-03-31T12:00:00Z')
const hourMs = 3_600_000
const gapLimitMs = 2 * hourMs

type Site = Awaited<ReturnType<typeof aMeter>>

/** A site whose switch is metered. */
async function aMeter(classroom?: ObjectId) {
  const { room, ...first } = await aSite(volt)
  const device = await volt.devices.create(
    aDevice({ classroom: classroom ?? room, switches: [aSwitch({ energySource: 'power' })] }),
  )
  return { ...first, room: classroom ?? room, device, event: eventsOf(device) }
}

/** A reading of 200 W each hour, for five weeks up to an instant, but for some hours of a day. */
function steady({ event }: Site, toMs: number, silence?: { day: string; after: number; before: number }): HostEvent[] {
  const readings = []
  for (let atMs = nowMs - 36 * 24 * hourMs; atMs <= toMs; atMs += hourMs) {
    const time = new Date(atMs).toISOString()
    const hour = new Date(atMs).getUTCHours()
    if (silence && time.startsWith(silence.day) && hour > silence.after && hour < silence.before) continue
    readings.push(event.power(time, 200, { gapLimitMs }))
  }
  return readings
}

async function rolledUp(events: readonly HostEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += 1000) await volt.ledger.append(events.slice(at, at + 1000))
  await volt.rollUps.update()
}

describe('hours that are not known', () => {
  it('have not ended', async () => {
    const site = await aMeter()
    await rolledUp(steady(site, nowMs))
    expect(await analytics.anomalies(today)).toEqual([])
    expect(await analytics.anomalies({ ...today, by: 'device' })).toEqual([])
    const [idle] = await analytics.idleUse(today)
    expect(idle).toMatchObject({ floorPowerW: 200, hours: 12, idleHours: 12, idleEnergyKwh: 2.4, idlePercent: 100 })
  })

  it('have a part that is missing', async () => {
    const site = await aMeter()
    await rolledUp(steady(site, nowMs, { day: today.from, after: 3, before: 9 }))
    expect(await analytics.anomalies(today)).toEqual([])
    const [idle] = await analytics.idleUse(today)
    expect(idle).toMatchObject({ floorPowerW: 200, hours: 6, idleHours: 6 })
    expect(idle?.idleEnergyKwh).toBeCloseTo(1.2, 9)
  })

  it('are not compared with', async () => {
    const site = await aMeter()
    const { power } = site.event
    const events = steady(site, nowMs, { day: '2026-03-10', after: 4, before: 9 })
    await rolledUp([...events, power('2026-03-31T03:10:00Z', 900), power('2026-03-31T07:10:00Z', 900)])
    expect(await analytics.anomalies({ ...today, weeks: 4 })).toMatchObject([{ hour: 3 }])
    expect(await analytics.anomalies({ ...today, weeks: 5 })).toMatchObject([{ hour: 3 }, { hour: 7 }])
  })

  it('are those of a meter that is silent since, in a classroom where others are not', async () => {
    const site = await aMeter()
    const silent = await aMeter(site.room)
    await rolledUp([...steady(site, nowMs), ...steady(silent, nowMs - 5.5 * hourMs)])
    expect(await analytics.anomalies({ ...today, classrooms: [site.room] })).toEqual([])
    expect(await analytics.idleUse(today)).toMatchObject([{ floorPowerW: 400, hours: 6 }])
    expect(await analytics.idleUse({ ...today, devices: [site.device._id] })).toMatchObject([{ hours: 12 }])
    await volt.devices.delete(silent.device._id)
    expect(await analytics.idleUse(today)).toMatchObject([{ hours: 12 }])
  })

  it('are those of a lamp that is still on, not those of one that is off', async () => {
    const site = await aMeter()
    const lamp = await volt.devices.create(aDevice({ classroom: site.room, switches: [aSwitch()] }))
    const { rated } = eventsOf(lamp)
    await rolledUp([...steady(site, nowMs), rated('2026-03-31T06:00:00Z', true), rated('2026-03-31T08:00:00Z', false)])
    expect(await analytics.idleUse(today)).toMatchObject([{ floorPowerW: 200, hours: 12, idleHours: 10 }])
    const { _id } = lamp
    await volt.devices.update(_id, { switches: [{ ...lamp.switches[0]!, state: true }] })
    expect(await analytics.idleUse(today)).toMatchObject([{ floorPowerW: 200, hours: 8, idleHours: 6 }])
  })

  it('are not judged where none is known', async () => {
    const site = await aMeter()
    await rolledUp([
      site.event.power('2026-03-31T03:00:00Z', 200, { gapLimitMs: 60_000 }),
      site.event.power('2026-03-31T06:00:00Z', 200, { gapLimitMs: 60_000 }),
    ])
    expect(await analytics.idleUse(today)).toMatchObject([
      { floorPowerW: null, hours: 0, idleHours: 0, idleEnergyKwh: 0, idlePercent: null },
    ])
  })
})
