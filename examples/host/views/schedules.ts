import type { AutoVolt, Occurrence, Schedule } from '@autovolt/data'
import { type Names, readNames } from './names.js'

const shownSchedules = 100
const shownRuns = 3

/** All schedules with their next runs. */
export async function readSchedules(volt: AutoVolt) {
  const schedules = await volt.schedules.find({}, { sort: { _id: -1 }, limit: shownSchedules })
  const names = await readNames(volt)
  return Promise.all(
    schedules.map(async (schedule) => {
      const isRunning = schedule.nextAt !== undefined
      return scheduleView(schedule, names, isRunning ? await volt.schedules.next(schedule._id, shownRuns) : [])
    }),
  )
}

export function scheduleView(schedule: Schedule, names: Names, next: readonly Occurrence[]) {
  const { _id, name, target, rule, action, enabled, owner, classroom, nextAt, lastRun, missed } = schedule
  const id = target.id.toHexString()
  const ofSwitch = names.bySwitch.get(id)
  return {
    id: _id.toHexString(),
    name,
    owner: owner?.toHexString() ?? null,
    classroom: classroom?.toHexString() ?? null,
    targetId: id,
    target: ofSwitch === undefined ? (names.byId.get(id) ?? id) : `${ofSwitch.switch} of ${ofSwitch.device}`,
    rule,
    command: action.command,
    enabled,
    nextAt: nextAt ?? null,
    next: next.map(({ at }) => at),
    lastRunAt: lastRun?.doneAt ?? null,
    missed: missed?.count ?? 0,
    problem: schedule.lastError ?? schedule.stoppedReason ?? null,
  }
}
