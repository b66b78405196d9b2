import type { Device } from '../devices/device.js'
import type { FirmwareInstall } from './install.js'

/** What of a device shows how an update went. */
export type UpdatedDevice = Pick<Device, 'firmwareVersion' | 'boot' | 'lastSeenAt'>

/** The version may come in a later message than the one that shows the start. */
const afterBootMs = 60_000
const mostRollBacks = 1

/**
 * What has become of a device that has begun; undefined while that is open. Succeeded is who runs the new version. Who comes back with the old
 * one has rolled back, and gets one more try: power may have failed in the first start.
 */
export function settledOutcome(
  row: FirmwareInstall,
  device: UpdatedDevice | undefined,
  version: string,
  now: Date,
): Partial<FirmwareInstall> | undefined {
  if (device === undefined) return { status: 'cancelled', endedAt: now, reason: 'the device is not there any more' }
  if (device.firmwareVersion === version) return { status: 'succeeded', endedAt: now }
  if (row.status === 'installing' && hasComeBack(row, device, now)) {
    const rollBacks = row.rollBacks + 1
    const reason = 'the device came back with the version that it had before'
    if (rollBacks > mostRollBacks) return { status: 'rolled_back', rollBacks, reason, endedAt: now }
    return { status: 'pending', rollBacks, reason, sentBytes: 0 }
  }
  if (row.deadlineAt !== undefined && row.deadlineAt <= now)
    return { status: 'failed', endedAt: now, reason: 'the device did not run it in time' }
  return undefined
}

function hasComeBack({ sentAt }: FirmwareInstall, { boot, lastSeenAt }: UpdatedDevice, now: Date): boolean {
  if (sentAt === undefined || boot === undefined || boot.startedAt <= sentAt) return false
  const sinceBootMs = (lastSeenAt ?? now).getTime() - boot.startedAt.getTime()
  return sinceBootMs >= afterBootMs
}
