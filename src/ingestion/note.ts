import type { DeviceReport } from './report.js'

/** A note about an accepted message: which of its values cannot be used. */
export interface Note {
  /** Which values were left out, by name. */
  readonly detail: string
  /** The address that the message names, if it does. */
  readonly macAddress: string | undefined
  /** When the message came. */
  readonly at: Date
}

/** The notes about an accepted report; none as a rule. */
export function notesOf({ leftOut, device }: DeviceReport, at: Date): Note[] {
  if (leftOut === undefined) return []
  const macAddress = 'macAddress' in device ? device.macAddress : undefined
  return [{ detail: `left out: ${leftOut.join(', ')}`, macAddress, at }]
}
