import type { ObjectId } from 'mongodb'
import type { DayHour } from './day-hours.js'

/** A switch that is silent for longer is not waited for: as if it were not there. */
const longestSilenceMs = 7 * 86_400_000

interface Heard {
  classroom: ObjectId
  hour: DayHour
  /** How much of that hour is told of. */
  toldMs: number
}

/** Up to where switches have told what they used. */
export class LastHeard {
  readonly #bySwitch = new Map<string, Heard>()
  #firstMs = Number.POSITIVE_INFINITY

  add(switchId: ObjectId, classroom: ObjectId, hour: DayHour, toldMs: number): void {
    if (hour.startMs < this.#firstMs) this.#firstMs = hour.startMs
    const id = switchId.toHexString()
    const known = this.#bySwitch.get(id)
    if (known === undefined) this.#bySwitch.set(id, { classroom, hour, toldMs })
    else if (known.hour.startMs === hour.startMs) known.toldMs += toldMs
    else if (known.hour.startMs < hour.startMs) Object.assign(known, { classroom, hour, toldMs })
  }

  /**
   * Tells the hours of which nothing is known yet: before the first of all, or after the last of a switch.
   * @param untold Switches whose load since they were last heard of is not known, with the classrooms that they are in.
   */
  unknownHours(untold: ReadonlyMap<string, ObjectId>): (hour: DayHour) => boolean {
    const silences = [...this.#bySwitch].flatMap(([id, { classroom, hour, toldMs }]) => {
      if (!untold.get(id)?.equals(classroom)) return []
      const isWhole = toldMs >= hour.endMs - hour.startMs
      return { fromMs: isWhole ? hour.endMs : hour.startMs, toMs: hour.endMs + longestSilenceMs }
    })
    return ({ startMs }) =>
      startMs < this.#firstMs || silences.some(({ fromMs, toMs }) => startMs >= fromMs && startMs < toMs)
  }
}
