import type { Document, ObjectId } from 'mongodb'
import { SwitchMeter } from '../../../ledger/facts/switch-meter.js'
import { always } from '../../../ledger/facts/time-range.js'
import { isCivilDay } from '../../../metering/index.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import type { ComparedDay } from '../findings.js'
import type { AdoptedSwitch } from '../map/switches.js'
import { numberOf, textOf } from '../map/values.js'
import type { WholeDays } from './adopt-whole-device.js'
import { DeviceDays } from './device-days.js'

const mwsPerWh = 3.6e6
/** Wh; what the origin's rounding makes. */
const sameWh = 0.01
/** Currency units. */
const sameCost = 0.000_01

/** What the origin sums up, and is computed anew here. */
interface Aggregates {
  readonly collection: string
  readonly field: 'deviceId' | 'device_id'
  readonly periodOf: (document: Document) => string | undefined
  readonly whOf: (document: Document) => number | undefined
}

const month = ({ year, month: of }: Document) => `${year}-${String(of).padStart(2, '0')}`

const aggregates: readonly Aggregates[] = [
  {
    collection: 'daily_aggregates',
    field: 'device_id',
    periodOf: ({ date_string }) => textOf(date_string),
    whOf: ({ total_wh }) => numberOf(total_wh),
  },
  {
    collection: 'monthly_aggregates',
    field: 'device_id',
    periodOf: month,
    whOf: ({ total_wh }) => numberOf(total_wh),
  },
  {
    collection: 'monthlyconsumptions',
    field: 'deviceId',
    periodOf: month,
    whOf: ({ energyConsumptionKwh }) => {
      const kwh = numberOf(energyConsumptionKwh)
      return kwh === undefined ? undefined : kwh * 1000
    },
  },
]

/** Device figures: what is adopted of a device, and what the origin says of it. */
export interface DeviceFigures {
  readonly days: DeviceDays
  readonly stated: WholeDays
  /** mW·s by day; what was adopted of the device as a whole. */
  readonly whole: ReadonlyMap<string, number>
}

/** Compares what the origin has summed up of a device, by day or month, with what is made of its logs. */
export async function compareDevice(
  device: AdoptedDevice,
  figures: DeviceFigures,
  context: AdoptionContext,
): Promise<void> {
  const ours = ownDays(figures)
  const subject = { subject: 'device', subjectId: device.input._id } as const
  for (const [originCollection, days] of figures.stated) {
    for (const [period, mws] of days) {
      const energyWh = (ours.get(period) ?? 0) / mwsPerWh
      compare({ ...subject, period, originCollection, originWh: mws / mwsPerWh, energyWh }, context)
    }
  }
  const months = byMonth(ours)
  for (const { collection, field, periodOf, whOf } of aggregates) {
    for await (const document of context.readOf(device, { collection, field, sort: { _id: 1 } })) {
      const [period, originWh] = [periodOf(document), whOf(document)]
      if (period === undefined || !isPeriod(period)) {
        context.leave(collection, document, 'its day or month is none')
        continue
      }
      if (originWh === undefined) {
        context.leave(collection, document, 'its energy is no number')
        continue
      }
      const energyWh = ((period.length === 7 ? months : ours).get(period) ?? 0) / mwsPerWh
      compare({ ...subject, period, originCollection: collection, originWh, energyWh }, context)
    }
  }
  await context.store?.flush()
}

/** Whether it is a day that there is, YYYY-MM-DD, or a month, YYYY-MM. */
function isPeriod(text: string): boolean {
  return /^\d{4}-\d\d(-\d\d)?$/.test(text) && isCivilDay(text.length === 7 ? `${text}-01` : text)
}

/**
 * Compares what the logs of the origin say of each switch and day with what the ledger says, which computes it from its own
 * entries.
 */
export async function compareSwitches(
  { input }: AdoptedDevice,
  sources: ReadonlyMap<AdoptedSwitch, string>,
  days: DeviceDays,
  context: AdoptionContext,
): Promise<void> {
  const { store, tally, registry, options } = context
  if (store === undefined) return
  const tariff = registry.tariffOf(input.classroom)
  for (const [{ _id }, originCollection] of sources) {
    const inLedger = new DeviceDays({ timeZone: options.timeZone, rates: registry.rates, tariff })
    tally.ledgerEnergyWs.set(_id.toHexString(), (await readLedger(_id, inLedger, context)) / 1000)
    for (const [period, { mws, cost }] of days.ofSwitch(_id)) {
      const here = inLedger.ofSwitch(_id).get(period) ?? { mws: 0, cost: 0 }
      compare(
        {
          subject: 'switch',
          subjectId: _id,
          period,
          originCollection,
          originWh: mws / mwsPerWh,
          energyWh: here.mws / mwsPerWh,
          originCost: rounded(cost),
          cost: rounded(here.cost),
        },
        context,
      )
    }
  }
  await store.flush()
}

/** What the adopted entries of a switch come to. @returns mW·s. */
async function readLedger(switchId: ObjectId, days: DeviceDays, { needs }: AdoptionContext): Promise<number> {
  const meter = new SwitchMeter()
  let sumMws = 0
  for await (const page of needs.ledger.facts.from(switchId, always.afterMs + 1, always.beforeMs)) {
    for (const { stretch, since } of meter.take(page)) {
      if (since.digest?.startsWith('adopted:') !== true || since.on !== true) continue
      const { fromMs, toMs, consumedMws: energyMws } = stretch
      sumMws += energyMws
      days.add(switchId, { fromMs, toMs, energyMws })
    }
  }
  return sumMws
}

function compare(day: ComparedDay, { tally, store }: AdoptionContext): void {
  const { originWh, energyWh, originCost = 0, cost = 0 } = day
  const isSame = Math.abs(originWh - energyWh) <= sameWh && Math.abs(originCost - cost) <= sameCost
  tally.compare(day, isSame)
  store?.addDay({ ...day, isSame })
}

function ownDays({ days, whole }: DeviceFigures): Map<string, number> {
  const sums = new Map(days.days)
  for (const [day, mws] of whole) sums.set(day, (sums.get(day) ?? 0) + mws)
  return sums
}

function byMonth(days: ReadonlyMap<string, number>): Map<string, number> {
  const months = new Map<string, number>()
  for (const [day, mws] of days) months.set(day.slice(0, 7), (months.get(day.slice(0, 7)) ?? 0) + mws)
  return months
}

function rounded(cost: number): number {
  return Math.round(cost * 1e6) / 1e6
}
