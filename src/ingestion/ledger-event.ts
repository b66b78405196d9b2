import type { DeviceSwitch, EnergyRole } from '../devices/device.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import type { EntryFlag } from '../ledger/entry/entry-limits.js'
import { credibleTime, instantOfLocalTime } from '../metering/index.js'
import type { KnownDevice, KnownSwitch } from './device-directory.js'
import { keyOfNote, type LifeNote } from './life/life-note.js'
import type { RepeatedTime } from './repeated-hour/run-marks.js'
import type { DeviceTime, ReadingReport } from './report.js'

/** When something happened, and how well that is known. */
export interface Instant {
  readonly atMs: number
  readonly flags: readonly EntryFlag[]
}

/** Switch fact: what an event of a switch has that does not follow from its registration. */
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
export function switchEvent(device: KnownDevice, target: KnownSwitch, fact: SwitchFact): LedgerEvent {
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
  target: KnownSwitch,
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

/** The ledger's event for what it has to know of a device's signs of life, about one of its rated switches. */
export function lifeEvent(
  device: KnownDevice,
  target: KnownSwitch,
  note: LifeNote,
  { on, arrivalMs, prices }: Pick<SwitchFact, 'on' | 'arrivalMs' | 'prices'>,
): LedgerEvent {
  const { atMs, boot, silentSinceMs, isRestart } = note
  const flags: readonly EntryFlag[] = isRestart
    ? ['reboot', 'estimated']
    : silentSinceMs === undefined
      ? []
      : ['estimated']
  const instant = { atMs, flags }
  const fact = {
    on: on && !isRestart,
    instant,
    arrivalMs,
    prices,
    idempotencyKey: keyOfNote(note),
    silentSinceMs,
    boot,
  }
  return {
    ...eventBase(device, target, fact),
    eventType: isRestart ? 'restart' : 'sign_of_life',
    reading: undefined,
    metadata: metadataOf(fact, undefined),
  }
}

/** The ledger's event for a reading that was refused: what was measured before it holds no longer. */
export function refusedReadingEvent(device: KnownDevice, target: KnownSwitch, fact: SwitchFact): LedgerEvent {
  return {
    ...eventBase(device, target, fact),
    eventType: 'refused_reading',
    reading: undefined,
    metadata: metadataOf(fact, undefined),
    // The message may be accepted another time, after a mistake in its decoding is corrected.
    idempotencyKey: `refused:${fact.idempotencyKey}`,
  }
}

function eventBase(device: KnownDevice, target: KnownSwitch, fact: SwitchFact) {
  return {
    switchId: target._id,
    deviceId: device.id,
    classroom: target.classroom,
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

/** A storage shows it by the sign of its power, as does what draws from the grid and feeds into it. */
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

/** Why a reading is none of this switch: the value that it is metered by cannot be used, or nothing can. */
export function notAReading(
  { powerW, energyWh, leftOut = [] }: Pick<ReadingReport, 'powerW' | 'energyWh' | 'leftOut'>,
  { energySource }: Pick<DeviceSwitch, 'energySource'>,
): string | undefined {
  if (energySource === 'power' && leftOut.includes('powerW')) return 'the power is not one that can be'
  if (energySource === 'counter' && leftOut.includes('energyWh')) return 'the counter value is not one that can be'
  return powerW === undefined && energyWh === undefined ? 'it has neither a power nor a counter value' : undefined
}

/**
 * The instant that the device's time stands for: the device's own if it is credible, else that of the arrival, flagged.
 * A time since boot is none of these: a boot clock places it.
 * @param repeated Which instant is meant of a local time that clocks showed twice.
 */
export function instantOf(
  time: DeviceTime | undefined,
  timeZone: string,
  arrivalMs: number,
  earliestMs: number,
  repeated: RepeatedTime = { isSecond: false, isDecided: false },
): Instant {
  if (time === undefined || time.kind === 'uptime') return { atMs: arrivalMs, flags: ['clock_replaced'] }
  const credible = (deviceTimeMs: number | undefined) => credibleTime({ deviceTimeMs, arrivalMs, earliestMs })
  const local =
    time.kind === 'local' ? instantOfLocalTime(time.text, timeZone, { second: repeated.isSecond }) : undefined
  const { atMs, clockReplaced } = credible(time.kind === 'local' ? local?.instantMs : time.ms)
  if (clockReplaced) return { atMs, flags: ['clock_replaced'] }
  if (time.kind !== 'local' || local?.ambiguous !== true || repeated.isDecided) return { atMs, flags: [] }
  // In a repeated hour; but what would be too far ahead of the arrival is never meant.
  const later = instantOfLocalTime(time.text, timeZone, { second: true })
  return { atMs, flags: credible(later?.instantMs).clockReplaced ? [] : ['clock_ambiguous'] }
}
