import type { Instant } from './ledger-event.js'
import type { RawMessage } from './raw-message.js'
import type { DeviceReport } from './report.js'

/**
 * Whether the report of a retained message is of no use: it was sent at an unknown time, maybe long ago. An event or a reading
 * with a time and an identity of its own is a fact of that time all the same; a status is judged with the presence.
 * @param instant The report's time; that of the arrival says nothing about a retained message.
 */
export function isOutdated(
  { isRetained }: Pick<RawMessage, 'isRetained'>,
  { kind, time, messageId, sequence }: DeviceReport,
  { flags }: Instant,
): boolean {
  if (isRetained !== true || kind === 'status') return false
  if (kind !== 'switch' && kind !== 'reading') return true
  return !hasOwnTime({ time }, { flags }) || (messageId === undefined && sequence === undefined)
}

/** Whether the instant is by the device's own clock, and credible. */
export function hasOwnTime({ time }: Pick<DeviceReport, 'time'>, { flags }: Pick<Instant, 'flags'>): boolean {
  return time !== undefined && time.kind !== 'uptime' && !flags.includes('clock_replaced')
}
