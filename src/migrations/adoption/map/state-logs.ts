import type { Document } from 'mongodb'
import { whyNotCredible } from './credible.js'
import type { Finding } from './mapped.js'
import { endedAt, type SwitchChange } from './presses.js'
import { type AdoptedSwitch, switchOf } from './switches.js'
import { dateOf, isGiven, shownId, wattsOf } from './values.js'

const collection = 'switchstatelogs'

export interface StateLogParts {
  /** Whether activity logs cover the switch: energy is counted from one source. */
  readonly hasBetterSource: (target: AdoptedSwitch) => boolean
  readonly onFinding: (finding: Finding) => void
  /** Epoch milliseconds: what is later than this has not been. */
  readonly nowMs: number
}

interface Course {
  readonly target: AdoptedSwitch
  last: Document
  running: { readonly sinceMs: number; readonly powerW: number } | undefined
}

/**
 * Makes of the switch state logs of one device, in the order of time, what happened to those switches that have no activity
 * logs. Their pairs count by time, and not by the energy that they claim: a second off claims it again.
 */
export class StateLogReader {
  readonly #switches: readonly AdoptedSwitch[]
  readonly #parts: StateLogParts
  readonly #courses = new Map<string, Course>()

  constructor(switches: readonly AdoptedSwitch[], parts: StateLogParts) {
    this.#switches = switches
    this.#parts = parts
  }

  read(log: Document): SwitchChange[] {
    const at = dateOf(log.timestamp)
    if (at === undefined || typeof log.state !== 'boolean')
      return this.#leave(log, 'a state or a time of the wrong type')
    const incredible = whyNotCredible(at, this.#parts.nowMs)
    if (incredible !== undefined) return this.#leave(log, incredible)
    const target = switchOf(this.#switches, log)
    if (target === undefined) return this.#leave(log, 'of a switch that the device does not have')
    if (this.#parts.hasBetterSource(target)) return this.#leave(log, 'activitylogs cover its switch')
    const key = shownId(target._id)
    const course = this.#courses.get(key) ?? { target, last: log, running: undefined }
    this.#courses.set(key, course)
    course.last = log
    return [log.state ? this.#on(course, log, at.getTime()) : this.#off(course, log, at.getTime())]
  }

  end(): SwitchChange[] {
    for (const { running, last } of this.#courses.values()) {
      if (running !== undefined) this.#note(last, 'still on at the end')
    }
    return []
  }

  #on(course: Course, log: Document, atMs: number): SwitchChange {
    const logged = powerOf(log)
    if (course.running === undefined && logged === undefined && isGiven(log.powerRating))
      this.#note(log, 'its power cannot be one: the rating of its switch was taken')
    const powerW = course.running?.powerW ?? logged ?? course.target.ratingW
    course.running ??= { sinceMs: atMs, powerW }
    return { ...changeOf(course, log, atMs), isOn: true, powerW }
  }

  #off(course: Course, log: Document, atMs: number): SwitchChange {
    const { running, target } = course
    course.running = undefined
    if (running === undefined) this.#note(log, 'off without an on, or a second off')
    const powerW = running?.powerW ?? target.ratingW
    const ended = running === undefined ? {} : { ended: endedAt(running, atMs) }
    return { ...changeOf(course, log, atMs), isOn: false, powerW, ...ended }
  }

  #leave(document: Document, reason: string): [] {
    this.#parts.onFinding({ kind: 'left', collection, document, reason })
    return []
  }

  #note(document: Document, reason: string): void {
    this.#parts.onFinding({ kind: 'noted', collection, document, reason })
  }
}

function changeOf({ target }: Course, log: Document, atMs: number) {
  return { target, atMs, log, collection, isInferred: false }
}

/** W; what the origin counted with. */
function powerOf({ powerRating, consumptionFactor = 1 }: Document): number | undefined {
  if (typeof powerRating !== 'number' || typeof consumptionFactor !== 'number') return undefined
  // 40 W at a factor of 0.9 are 36 W, and no binary fraction beside it.
  return wattsOf(Math.round(powerRating * consumptionFactor * 1000) / 1000)
}
