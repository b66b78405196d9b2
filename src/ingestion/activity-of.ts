import type { Activity } from '../activity/activity.js'
import type { KnownDevice, KnownSwitch } from './device-directory.js'
import type { SwitchReport } from './report.js'

/** Who moved the switch, for the activity log. */
export function activityOf(
  report: SwitchReport,
  device: KnownDevice,
  target: KnownSwitch,
  { atMs, arrivalMs, key }: { readonly atMs: number; readonly arrivalMs: number; readonly key: string },
): Omit<Activity, '_id'> {
  return {
    deviceId: device.id,
    switchId: target._id,
    classroom: target.classroom,
    action: report.on ? 'switch_on' : 'switch_off',
    cause: report.cause,
    userId: report.userId,
    userName: report.userName,
    timestamp: new Date(atMs),
    receivedAt: new Date(arrivalMs),
    idempotencyKey: key,
  }
}
