import { quarterMs } from '../register-marks/quarter-hours.js'
import type { RegisterMark } from '../register-marks/register-mark.js'

/** Quarter hours that are taken at once: a day. */
const longestRun = 96

/** The marks of each switch, in runs of quarter hours that follow each other, in the order of time. */
export function markedRuns(marks: readonly RegisterMark[]): RegisterMark[][][] {
  const bySwitch = new Map<string, RegisterMark[]>()
  for (const mark of marks) {
    const key = mark.switchId.toHexString()
    bySwitch.set(key, [...(bySwitch.get(key) ?? []), mark])
  }
  return [...bySwitch.values()].map(runsOf)
}

function runsOf(marks: readonly RegisterMark[]): RegisterMark[][] {
  const runs: RegisterMark[][] = []
  for (const mark of marks.toSorted((a, b) => a.quarter.getTime() - b.quarter.getTime())) {
    const run = runs.at(-1)
    const endMs = (run?.at(-1)?.quarter.getTime() ?? Number.NaN) + quarterMs
    if (run !== undefined && run.length < longestRun && endMs === mark.quarter.getTime()) run.push(mark)
    else runs.push([mark])
  }
  return runs
}
