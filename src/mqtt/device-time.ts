import type { DeviceTime } from '../ingestion/report.js'

/** An ISO 8601 text as a device's time: with a zone an instant, without one a local time. */
export function textualTime(text: string): DeviceTime | undefined {
  if (/(Z|[+-]\d{2}:?\d{2})$/.test(text)) {
    const ms = Date.parse(text)
    return Number.isNaN(ms) ? undefined : { kind: 'instant', ms }
  }
  return { kind: 'local', text }
}
