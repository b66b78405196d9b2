import type { Document, ObjectId } from 'mongodb'
import type { LedgerEvent } from '../../../ledger/entry/entry.js'
import { isPrice, mwsFromPower, mwsFromWh } from '../../../metering/index.js'
import { dateOf, idOf, shownId } from '../../adoption/map/values.js'
import type { Rooms } from '../rooms.js'

/** A record of `power_consumption` that can become two entries of the ledger. */
export interface LegacyRecord {
  readonly id: string
  readonly deviceId: ObjectId
  readonly switchId: ObjectId
  readonly classroom: ObjectId
  readonly startMs: number
  readonly endMs: number
  /** mW·s; as the record says. */
  readonly energyMws: number
  /** W; what gives that energy from start to end: the record's own rating where it does, else the mean power. */
  readonly powerW: number
  /** Currency units. */
  readonly cost: number
  /** Currency units per kWh, with at most six decimals; undefined where the record has none, for which 0 stands there. */
  readonly ratePerKwh: number | undefined
  readonly receivedAt: Date | undefined
}

/** Why a record cannot become entries. */
export interface Unusable {
  readonly id: string
  readonly reason: string
}

const maximumPowerW = 1e6
const longestId = 100
const priceScale = 1e6

export function isUnusable(one: LegacyRecord | Unusable): one is Unusable {
  return 'reason' in one
}

/** Reads a record: ids may be digits, a room its name, and an end that is missing follows from the duration in milliseconds. */
export function readLegacyRecord(document: Document, rooms: Rooms): LegacyRecord | Unusable {
  const id = shownId(document._id)
  const unusable = (reason: string) => ({ id: id.slice(0, longestId), reason })
  const deviceId = idOf(document.deviceId)
  if (deviceId === undefined) return unusable('its device is no id')
  const switchId = idOf(document.switchId) ?? rooms.onlySwitchOf(deviceId)
  if (switchId === undefined) return unusable('it names no switch, and its device has not one alone')
  const classroom = rooms.find(document.classroom, deviceId)
  if (classroom === undefined) return unusable('its room is not there')
  const start = dateOf(document.startTime)
  if (start === undefined) return unusable('it has no start')
  const startMs = start.getTime()
  const endMs = dateOf(document.endTime)?.getTime() ?? startMs + (numberOf(document.duration) ?? Number.NaN)
  if (Number.isNaN(endMs)) return unusable('it has neither an end nor a duration')
  if (endMs <= startMs) return unusable('it does not end after it starts')
  const energyWh = numberOf(document.energyConsumed)
  if (energyWh === undefined || energyWh < 0 || energyWh > 1e9) return unusable('its energy is no number of watt-hours')
  if (id.length > longestId) return unusable('its id is too long')
  const energyMws = mwsFromWh(energyWh)
  const durationMs = Math.round(endMs) - startMs
  const rating = numberOf(document.powerRating)
  const isRated = rating !== undefined && rating >= 0 && isEnergyOf(rating, durationMs, energyMws)
  const powerW = isRated ? rating : energyMws / durationMs
  if (powerW > maximumPowerW) return unusable('its energy is more than a switch can use in that time')
  const rate = numberOf(document.ratePerKwh)
  return {
    id,
    deviceId,
    switchId,
    classroom,
    startMs,
    endMs: Math.round(endMs),
    energyMws,
    powerW,
    cost: numberOf(document.cost) ?? 0,
    ratePerKwh: rate === undefined || rate <= 0 || rate > 1e6 ? undefined : priceOf(rate),
    receivedAt: dateOf(document.createdAt),
  }
}

/** The two entries of a record. Of one instant an end comes before a start, by their keys. */
export function eventsOf(record: LegacyRecord, ratePerKwh: number): [LedgerEvent, LedgerEvent] {
  const { id, deviceId, switchId, classroom, startMs, endMs, powerW, receivedAt } = record
  const event = (eventType: 'switch_on' | 'switch_off', atMs: number, key: string): LedgerEvent => {
    const timestamp = new Date(atMs)
    return {
      switchId,
      deviceId,
      classroom,
      timestamp,
      receivedAt: receivedAt ?? timestamp,
      eventType,
      powerState: eventType === 'switch_on',
      powerRating: powerW,
      energySource: 'rated',
      gapLimitMs: undeclaredGapLimitMs,
      ratePerKwh,
      flags: [],
      metadata: { source: 'migration', originalRecordId: id },
      idempotencyKey: key,
    }
  }
  return [event('switch_on', startMs, startKey(id)), event('switch_off', endMs, endKey(id))]
}

/** ms; what the library takes for devices that promise no period. */
const undeclaredGapLimitMs = 300_000
/** What the keys of these entries begin with. */
export const legacyKey = 'legacy:'
export const startKey = (id: string) => `${legacyKey}start:${id}`
export const endKey = (id: string) => `${legacyKey}end:${id}`

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : undefined
  return number !== undefined && Number.isFinite(number) ? number : undefined
}

function isEnergyOf(powerW: number, durationMs: number, energyMws: number): boolean {
  return powerW * durationMs <= Number.MAX_SAFE_INTEGER && mwsFromPower(powerW, durationMs) === energyMws
}

function priceOf(rate: number): number {
  return isPrice(rate) ? rate : Math.round(rate * priceScale) / priceScale
}
