import type { ObjectId } from 'mongodb'
import type { DayHour } from './day-hours.js'

/** A switch that has not reported for longer is ignored. */
const longestSilenceMs = 7 * 86_400_000

interface ReportedHour {
  classroom: ObjectId
  hour: DayHour
  /** How much of that hour is covered by reports. */
  reportedMs: number
}

/** The last hour that each switch has reported its energy of. */
export class LastReported {
  readonly #bySwitch = new Map<string, ReportedHour>()
  #firstMs = Number.POSITIVE_INFINITY

  add(switchId: ObjectId, classroom: ObjectId, hour: DayHour, reportedMs: number): void {
    if (hour.startMs < this.#firstMs) this.#firstMs = hour.startMs
    const id = switchId.toHexString()
    const known = this.#bySwitch.get(id)
    if (known === undefined) this.#bySwitch.set(id, { classroom, hour, reportedMs })
    else if (known.hour.startMs === hour.startMs) known.reportedMs += reportedMs
    else if (known.hour.startMs < hour.startMs) Object.assign(known, { classroom, hour, reportedMs })
  }

  /**
   * A predicate for hours of which nothing is known yet: before the first report of all, or after the last of a switch.
   * @param unreported Switches whose load since their last report is not known, with their classrooms.
   */
  unknownHours(unreported: ReadonlyMap<string, ObjectId>): (hour: DayHour) => boolean {
    const silences = [...this.#bySwitch].flatMap(([id, { classroom, hour, reportedMs }]) => {
      if (!unreported.get(id)?.equals(classroom)) return []
      const isWhole = reportedMs >= hour.endMs - hour.startMs
      return { fromMs: isWhole ? hour.endMs : hour.startMs, toMs: hour.endMs + longestSilenceMs }
    })
    return ({ startMs }) =>
      startMs < this.#firstMs || silences.some(({ fromMs, toMs }) => startMs >= fromMs && startMs < toMs)
  }
}
