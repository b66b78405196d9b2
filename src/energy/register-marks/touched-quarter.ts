import type { ObjectId } from 'mongodb'
import type { Device, DeviceSwitch } from '../../devices/device.js'
import { gapLimitMs } from '../../metering/index.js'
import { quarterMs, quarterOf } from './quarter-hours.js'

/** A quarter hour of a switch that has got measurements. */
export interface TouchedQuarter {
  readonly switchId: ObjectId
  readonly deviceId: ObjectId
  /** Where it begins, epoch milliseconds. */
  readonly startMs: number
  /** From when on its register is taken, epoch milliseconds. */
  readonly dueMs: number
}

const shortestSettlingMs = 60_000

/** Whether the switch's readings go to the ledger only as registers. */
export function isInQuarterHours(
  { ledgerRecording }: Pick<Device, 'ledgerRecording'>,
  { energySource }: Pick<DeviceSwitch, 'energySource'>,
): boolean {
  return ledgerRecording === 'quarter_hours' && energySource !== 'rated'
}

/**
 * How long after its end a quarter hour is left alone, ms: the next reading, which ends the stretch of its last one, is
 * there by then, or there is a gap.
 */
export function settlingMs({ reportingPeriodMs }: Pick<Device, 'reportingPeriodMs'>): number {
  return Math.min(Math.max(gapLimitMs(reportingPeriodMs), shortestSettlingMs), quarterMs)
}

/** The quarter hour of a switch at an instant. */
export function touchedAt(
  device: Pick<Device, '_id' | 'reportingPeriodMs'>,
  switchId: ObjectId,
  atMs: number,
): TouchedQuarter {
  const startMs = quarterOf(atMs)
  return { switchId, deviceId: device._id, startMs, dueMs: startMs + quarterMs + settlingMs(device) }
}
