import { type AutoVolt, type Classroom, type CostVersion, where } from '@autovolt/data'
import { civilDay, shownMonth } from '../civil-days.js'
import { actor, type PriceChanges } from '../price-changes.js'
import { roomNames, timeZone } from '../simulator/school-plan.js'
import { flat, nightPriceOf, peakPriceOf, timeOfUse } from '../tariffs.js'

const shownRecords = 6

/** A day, a month, its peak hours and what it costs: all from the roll-ups. */
export async function readEnergy(volt: AutoVolt, changes: PriceChanges) {
  const now = new Date()
  const month = shownMonth(now)
  const [day, days, peakHours, costs, change, records] = await Promise.all([
    readDay(volt, civilDay(now)),
    volt.analytics.dailySummaries({ ...month, classrooms: [...roomNames] }),
    volt.analytics.peakHours({ ...month, classrooms: [...roomNames] }),
    readCosts(volt, month, now),
    changes.view(),
    volt.auditLog.find({ actor }, { sort: { at: -1 }, limit: shownRecords }),
  ])
  return {
    timeZone,
    day,
    month: {
      ...month,
      days: days.map((one) => ({ day: one.day, energyKwh: one.totalEnergyKwh, cost: one.totalCost })),
    },
    peakHours: peakHours.map(({ hour, totalEnergyKwh }) => ({ hour, energyKwh: totalEnergyKwh })),
    costs,
    change,
    audit: records.map(({ _id, at, action, before, after }) => ({
      id: _id.toHexString(),
      at,
      action,
      actor,
      ...versionOf(after ?? before),
      before: peakPriceIn(before),
      after: peakPriceIn(after),
    })),
  }
}

/** kWh of each classroom in each hour of a day. */
async function readDay(volt: AutoVolt, day: string) {
  const rooms = await volt.classrooms.find({ name: where.in(roomNames) }, { sort: { name: 1 } })
  return { day, rooms: await Promise.all(rooms.map((room) => readRoom(volt, day, room))) }
}

async function readRoom(volt: AutoVolt, day: string, { _id, name }: Classroom) {
  const points = await volt.analytics.loadCurve({ from: day, to: day, classrooms: [_id], timeZone })
  return {
    id: _id.toHexString(),
    name,
    hours: points.map(({ energyKwh }) => energyKwh),
    productionKwh: points.reduce((sum, { productionKwh }) => sum + productionKwh, 0),
  }
}

/** What the month has cost, and what it would have cost. */
async function readCosts(volt: AutoVolt, month: { readonly from: string; readonly to: string }, now: Date) {
  const [computed, other, held, otherHeld] = await Promise.all([
    volt.analytics.costs({ ...month, classrooms: [...roomNames], by: 'month' }),
    volt.analytics.costs({ ...month, classrooms: [...roomNames], by: 'month', tariff: flat }),
    volt.tariffs.inForce(timeOfUse, now),
    volt.tariffs.inForce(flat, now),
  ])
  const rows = [
    { tariff: timeOfUse, isInForce: true, period: computed[0], version: held },
    { tariff: flat, isInForce: false, period: other[0], version: otherHeld },
  ]
  return rows.map(({ tariff, isInForce, period, version }) => ({
    tariff,
    isInForce,
    prices: version && {
      usual: version.pricePerKwh,
      peak: peakPriceOf(version),
      night: nightPriceOf(version),
      currency: version.currency,
    },
    energyKwh: period?.totalEnergyKwh ?? 0,
    productionKwh: period?.totalProductionKwh ?? 0,
    cost: period?.totalCost ?? null,
    currency: period?.currency ?? null,
    earnings: period?.earnings[0]?.amount ?? null,
    carbonKg: (period?.carbonGrams ?? 0) / 1000,
  }))
}

/** The day on which the version of an audit record starts. */
function versionOf(document: Readonly<Record<string, unknown>> | null | undefined) {
  const { startsAt, currency } = document ?? {}
  return { startsOn: startsAt instanceof Date ? civilDay(startsAt) : null, currency: currency ?? null }
}

/** An audit record has the whole document, as it was. */
function peakPriceIn(document: Readonly<Record<string, unknown>> | null | undefined): number | null {
  if (document === null || document === undefined) return null
  return peakPriceOf(document as Pick<CostVersion, 'bands' | 'pricePerKwh'>)
}
