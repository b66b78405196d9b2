import type { KnownDevice } from './device-directory.js'
import type { Refusal } from './quarantine-store.js'
import type { DeviceReport } from './report.js'

/** Whether the report is about switches whose energy could be accounted for nowhere. */
export function isUnplaced({ kind }: DeviceReport, { classroom }: KnownDevice): boolean {
  return classroom === undefined && (kind === 'switch' || kind === 'reading' || kind === 'snapshot')
}

export const noClassroom: Pick<Refusal, 'reason' | 'detail'> = {
  reason: 'no_classroom',
  detail: 'the device is in no classroom, so there is no place that its energy is accounted for',
}
