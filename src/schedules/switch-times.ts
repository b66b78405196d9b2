import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { timeOfDay, toObjectId } from '../core/fields.js'
import type { Schedule, ScheduleInput } from './schedule.js'

/** When a switch goes on and off each day. */
export const switchTimesSchema = z.strictObject({
  /** Whether the times count. */
  enabled: z.boolean().default(false),
  /** When it goes on, by the clocks of the site. */
  onTime: timeOfDay().optional(),
  /** When it goes off, by the clocks of the site. */
  offTime: timeOfDay().optional(),
  /** Sunday is 0, Saturday 6; every day if left out. */
  daysOfWeek: z.array(z.int().min(0).max(6)).max(7).optional(),
})

/** Switch times: as a switch's own `schedule` field had them. */
export type SwitchTimes = z.input<typeof switchTimesSchema>

const times = ['on', 'off'] as const

/** The two times as schedules: what to create or to change; undefined for a time that there is not to be. */
export function switchTimeInputs(
  switchId: ObjectId | string,
  { enabled, onTime, offTime, daysOfWeek = [] }: z.output<typeof switchTimesSchema>,
): { readonly switchTime: 'on' | 'off'; readonly input: ScheduleInput | undefined }[] {
  const weekdays = [...new Set(daysOfWeek)].map((day) => day || 7).toSorted((a, b) => a - b)
  return times.map((switchTime) => {
    const at = switchTime === 'on' ? onTime : offTime
    if (at === undefined) return { switchTime, input: undefined }
    const input: ScheduleInput = {
      name: switchTime === 'on' ? 'On' : 'Off',
      target: { kind: 'switch', id: toObjectId(switchId) },
      rule: { type: 'time', at, ...(weekdays.length === 0 ? {} : { weekdays }) },
      action: { command: switchTime === 'on' ? 'turn_on' : 'turn_off' },
      enabled,
      switchTime,
    }
    return { switchTime, input }
  })
}

export function readSwitchTimes(schedules: readonly Schedule[]): SwitchTimes {
  const timeOf = (switchTime: 'on' | 'off') => {
    const rule = schedules.find((schedule) => schedule.switchTime === switchTime)?.rule
    return rule?.type === 'time' ? rule : undefined
  }
  const [on, off] = [timeOf('on'), timeOf('off')]
  const weekdays = (on ?? off)?.weekdays
  return {
    enabled: schedules.some(({ enabled }) => enabled),
    ...(on === undefined ? {} : { onTime: on.at }),
    ...(off === undefined ? {} : { offTime: off.at }),
    ...(weekdays === undefined ? {} : { daysOfWeek: weekdays.map((day) => day % 7).toSorted((a, b) => a - b) }),
  }
}
