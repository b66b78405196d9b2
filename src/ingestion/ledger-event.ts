import type { DeviceSwitch, EnergyRole } from '../devices/device.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { EntryFlag, LedgerEvent } from '../ledger/entry/entry.js'
import { credibleTime, instantOfLocalTime, isCounterValue } from '../metering/index.js'
import type { KnownDevice } from './device-directory.js'
import type { DeviceTime, ReadingReport } from './report.js'

/** When something happened, and how well that is known. */
export interface Instant {
  readonly atMs: number
  readonly flags: readonly EntryFlag[]
}

/** What an event of a switch has that does not follow from its registration. */
export interface SwitchFact {
  readonly on: boolean
  readonly instant: Instant
  readonly arrivalMs: number
  readonly prices: Prices
  readonly idempotencyKey: string
  readonly silentSinceMs?: number | undefined
  readonly boot?: string | undefined
  readonly sequence?: number | undefined
  readonly firmwareVersion?: string | undefined
}

/** The ledger's event for a switch that was moved, or found moved. */
export function switchEvent(device: KnownDevice, target: DeviceSwitch, fact: SwitchFact): LedgerEvent {
  return {
    ...eventBase(device, target, fact),
    eventType: fact.on ? 'switch_on' : 'switch_off',
    reading: undefined,
    metadata: metadataOf(fact, undefined),
  }
}

/** The ledger's event for a meter that was read. */
export function readingEvent(
  device: KnownDevice,
  target: DeviceSwitch,
  fact: SwitchFact,
  report: ReadingReport,
): LedgerEvent {
  return {
    ...eventBase(device, target, fact),
    eventType: 'power_reading',
    reading: {
      powerW: report.powerW,
      energyWh: report.energyWh,
      counterQuantumWh: report.energyWh === undefined ? undefined : target.counterQuantumWh,
      counterWidthWh: report.energyWh === undefined ? undefined : target.counterWidthWh,
      maximumPower: report.energyWh === undefined ? undefined : target.maximumPower,
    },
    metadata: metadataOf(fact, report),
  }
}

function eventBase(device: KnownDevice, target: DeviceSwitch, fact: SwitchFact) {
  return {
    switchId: target._id,
    deviceId: device.id,
    classroom: device.classroom,
    timestamp: new Date(fact.instant.atMs),
    receivedAt: new Date(fact.arrivalMs),
    powerState: fact.on,
    powerRating: target.powerRating,
    energySource: target.energySource,
    energyDirection: directionOf(device.document.energyRole),
    gapLimitMs: device.gapLimitMs,
    silentSince: fact.silentSinceMs === undefined ? undefined : new Date(fact.silentSinceMs),
    ratePerKwh: fact.prices.at(device, fact.instant.atMs),
    flags: [...fact.instant.flags],
    idempotencyKey: fact.idempotencyKey,
  }
}

/** A storage tells by the sign of its power, as does what draws from the grid and feeds into it. */
function directionOf(role: EnergyRole): LedgerEvent['energyDirection'] {
  return role === 'production' ? role : undefined
}

function metadataOf(fact: SwitchFact, report: ReadingReport | undefined): LedgerEvent['metadata'] {
  return {
    source: 'mqtt',
    firmwareVersion: fact.firmwareVersion,
    voltage: report?.voltage,
    current: report?.current,
    powerFactor: report?.powerFactor,
    temperature: report?.temperature,
    bootId: fact.boot,
    deviceSequence: fact.sequence,
  }
}

/** Why a reading's values are none; undefined if they are. */
export function notAReading({ powerW, energyWh }: Pick<ReadingReport, 'powerW' | 'energyWh'>): string | undefined {
  if (powerW === undefined && energyWh === undefined) return 'it has neither a power nor a counter value'
  if (powerW !== undefined && !(Math.abs(powerW) <= 1e9)) return 'the power is not possible'
  if (energyWh !== undefined && !(isCounterValue(energyWh) && energyWh <= 1e15))
    return 'the counter value is not possible'
  return undefined
}

/**
 * The instant that the device's time stands for: the device's own if it is credible, else that of the arrival, flagged.
 * A time since boot is none of these; {@link readBootClock} places it.
 */
export function instantOf(
  time: DeviceTime | undefined,
  timeZone: string,
  arrivalMs: number,
  earliestMs: number,
): Instant {
  if (time === undefined || time.kind === 'uptime') return { atMs: arrivalMs, flags: ['clock_replaced'] }
  const local = time.kind === 'local' ? instantOfLocalTime(time.text, timeZone) : undefined
  const deviceTimeMs = time.kind === 'local' ? local?.instantMs : time.ms
  const { atMs, clockReplaced } = credibleTime({ deviceTimeMs, arrivalMs, earliestMs })
  if (clockReplaced) return { atMs, flags: ['clock_replaced'] }
  return { atMs, flags: local?.ambiguous ? ['clock_ambiguous'] : [] }
}
