import type { Document } from 'mongodb'
import type { DeviceInput } from '../../../devices/device.js'
import { civilDayOf, isCivilDay, mwsFromWh, startOfCivilDay } from '../../../metering/index.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { whyNotCredible } from '../map/credible.js'
import { dateOf, numberOf, shownId } from '../map/values.js'

/** Energy of a device as a whole. */
export interface WholeEnergy {
  /** When it was used, epoch milliseconds: the beginning of a quarter of an hour, or of the day. */
  readonly atMs: number
  /** The civil day that the origin counts it to. */
  readonly day: string
  readonly consumedMws: number
  readonly producedMws: number
}

export interface WholePart extends WholeEnergy {
  /** The document that says so. */
  readonly document: Document
}

/** A collection with the energy of whole devices. */
export interface WholeSource {
  readonly collection: string
  /** What it says of a device, in order; what cannot be used is reported. */
  read(device: AdoptedDevice, context: AdoptionContext): AsyncGenerator<WholePart, void, undefined>
}

const quarterMs = 900_000
/** The origin takes a reading's power for the time since the one before, up to a day; after an hour of silence that is no measurement. */
const longestReadingMs = 3_600_000
const largestWh = 1e9

/** In zones all over the world hours and days begin with a quarter of an hour of UTC. */
function quarterOf(at: Date): number {
  return Math.floor(at.getTime() / quarterMs) * quarterMs
}

/** The MAC address as the origin's services name a device with it. */
export function bareAddress(input: DeviceInput): string {
  return (input.macAddress ?? '').replaceAll(':', '').toLowerCase()
}

const metered: WholeSource = {
  collection: 'device_consumption_ledger',
  async *read(device, context) {
    const { collection } = this
    const filter = { switch_id: { $exists: false } }
    const sort = { start_ts: 1, _id: 1 } as const
    let startMs = Number.NaN
    let seen = new Set<string>()
    for await (const document of context.readOf(device, { collection, field: 'device_id', filter, sort })) {
      const start = dateOf(document.start_ts)
      const events = Array.isArray(document.raw_event_ids) ? document.raw_event_ids.map(shownId).join() : ''
      if (start === undefined) {
        context.leave(collection, document, 'an id or a time of the wrong type')
        continue
      }
      const incredible = whyNotCredible(start, context.nowMs)
      if (incredible !== undefined) {
        context.leave(collection, document, incredible)
        continue
      }
      // The same event has the same start.
      if (start.getTime() !== startMs) seen = new Set()
      startMs = start.getTime()
      if (events !== '' && seen.has(events)) {
        context.leave(collection, document, 'the same event once more')
        continue
      }
      seen.add(events)
      yield* partOf(collection, document, { at: start, energyWh: document.delta_wh }, context)
    }
  },
}

const readings: WholeSource = {
  collection: 'powerreadings',
  async *read(device, context) {
    const { collection } = this
    const reading = { collection, field: 'deviceId', sort: { timestamp: 1, _id: 1 } } as const
    let beforeMs: number | undefined
    for await (const document of context.readOf(device, reading)) {
      const at = dateOf(document.timestamp)
      // Reported where it is stored as a measurement.
      if (at === undefined || whyNotCredible(at, context.nowMs) !== undefined) continue
      const silenceMs = at.getTime() - (beforeMs ?? at.getTime())
      beforeMs = at.getTime()
      if (silenceMs > longestReadingMs && document.energy > 0) {
        const reason = 'its energy is its power times a silence of more than an hour: a gap, and not counted'
        context.find({ kind: 'noted', collection, document, reason })
        continue
      }
      yield* partOf(collection, document, { at, energyWh: document.energy }, context)
    }
  },
}

const parts: WholeSource = {
  collection: 'energyconsumptions',
  async *read(device, context) {
    const { collection } = this
    const sort = { year: 1, month: 1, day: 1, _id: 1 } as const
    for await (const document of context.readOf(device, { collection, field: 'deviceId', sort })) {
      const day = dayText(document)
      const energyWh = energyOf(document.totalEnergyKwh)
      // What is counted at each off of a day is a document of its own: they are parts, and not copies.
      yield* dayPartOf(collection, document, { day, energyWh }, context)
    }
  },
}

const totals: WholeSource = {
  collection: 'dailyconsumptions',
  async *read(device, context) {
    const { collection } = this
    const reading = { collection, field: 'deviceId', sort: { date: 1, _id: 1 } } as const
    let before: string | undefined
    for await (const document of context.readOf(device, reading)) {
      const date = dateOf(document.date)
      const day = date && civilDayOf(date.getTime(), context.options.timeZone)
      if (day !== undefined && day === before) {
        context.leave(collection, document, 'the same device and day, from midnight of another zone')
        continue
      }
      before = day
      yield* dayPartOf(collection, document, { day, energyWh: energyOf(document.energyConsumptionKwh) }, context)
    }
  },
}

/** The best first: of a day the first one counts that has energy for it. */
export const wholeSources: readonly WholeSource[] = [metered, readings, parts, totals]

function* partOf(
  collection: string,
  document: Document,
  { at, energyWh }: { readonly at: Date; readonly energyWh: unknown },
  context: AdoptionContext,
): Generator<WholePart, void, undefined> {
  const wh = numberOf(energyWh)
  if (wh === undefined || wh < 0 || wh > largestWh)
    return context.leave(collection, document, 'its energy is no number')
  const day = civilDayOf(at.getTime(), context.options.timeZone)
  yield { atMs: quarterOf(at), day, consumedMws: mwsFromWh(wh), producedMws: 0, document }
}

function* dayPartOf(
  collection: string,
  document: Document,
  { day, energyWh }: { readonly day: string | undefined; readonly energyWh: number | undefined },
  context: AdoptionContext,
): Generator<WholePart, void, undefined> {
  if (day === undefined) return context.leave(collection, document, 'its day is none')
  if (energyWh === undefined || energyWh < 0 || energyWh > largestWh)
    return context.leave(collection, document, 'its energy is no number')
  const atMs = startOfCivilDay(day, context.options.timeZone)
  const incredible = whyNotCredible(new Date(atMs), context.nowMs)
  if (incredible !== undefined) return context.leave(collection, document, incredible)
  yield { atMs, day, consumedMws: mwsFromWh(energyWh), producedMws: 0, document }
}

/** Wh */
function energyOf(kwh: unknown): number | undefined {
  const value = numberOf(kwh)
  return value === undefined ? undefined : value * 1000
}

function dayText({ year, month, day }: Document): string | undefined {
  const text = [year, month, day].map((part) => String(part).padStart(2, '0')).join('-')
  return /^\d{4}-\d\d-\d\d$/.test(text) && isCivilDay(text) ? text : undefined
}

/** The energy of several parts by when it was used. */
export function slotsOf(all: readonly WholeEnergy[]): Map<number, WholeEnergy> {
  const slots = new Map<number, WholeEnergy>()
  for (const one of all) {
    const { consumedMws = 0, producedMws = 0 } = slots.get(one.atMs) ?? {}
    slots.set(one.atMs, {
      atMs: one.atMs,
      day: one.day,
      consumedMws: consumedMws + one.consumedMws,
      producedMws: producedMws + one.producedMws,
    })
  }
  return slots
}
