import type { KnownDevice } from './device-directory.js'
import type { Refusal } from './quarantine-store.js'
import type { SnapshotReport } from './report.js'

/** What of a snapshot cannot be used, if anything; the rest of it is taken. */
export function snapshotRefusal(
  { switches, unusableSwitches = [] }: SnapshotReport,
  device: KnownDevice,
): Pick<Refusal, 'reason' | 'detail'> | undefined {
  const unknown = switches.filter(({ gpio }) => !device.switches.has(gpio)).map(({ gpio }) => gpio)
  const details = [
    ...(unusableSwitches.length === 0 ? [] : [`not as expected: switches ${unusableSwitches.join(', ')}`]),
    ...(unknown.length === 0 ? [] : [`the device has no switch with gpio ${unknown.join(', ')}`]),
  ]
  if (details.length === 0) return undefined
  const reason = unusableSwitches.length > 0 ? 'invalid' : 'unknown_switch'
  return { reason, detail: `${details.join('; ')}; the others were taken` }
}
