import type { Document } from 'mongodb'
import { whyNotCredible } from './credible.js'
import type { Finding } from './mapped.js'
import { type AdoptedSwitch, switchOf } from './switches.js'
import { dateOf, isGiven, shownId, wattsOf } from './values.js'

/** Logs of one switch in one direction that are no further apart report one press: each part of the origin logged it. */
const samePressMs = 2_000
const collection = 'activitylogs'

/** A change of a switch that goes to the ledger. */
export interface SwitchChange {
  readonly target: AdoptedSwitch
  readonly atMs: number
  readonly isOn: boolean
  /** What the load takes, W: while it is on, or was on until now. */
  readonly powerW: number
  /** The document that says so. */
  readonly log: Document
  readonly collection: string
  /** Whether it is inferred from the silence of the device. */
  readonly isInferred: boolean
  /** Where one document says that it was switched on and off, which of both this is. */
  readonly part?: 'on' | 'off'
  /** The time that it was on up to now, and the energy of it, mW·s. */
  readonly ended?: EndedStretch
}

export interface EndedStretch {
  readonly sinceMs: number
  readonly energyMws: number
}

interface Press {
  readonly atMs: number
  readonly isOn: boolean
  readonly log: Document
  powerW: number | undefined
}

interface Running {
  readonly sinceMs: number
  readonly powerW: number
}

interface SwitchCourse {
  readonly target: AdoptedSwitch
  /** The last press, as long as a copy of it may come that knows its power. */
  waiting: Press | undefined
  last: Press | undefined
  running: Running | undefined
}

export interface PressParts {
  /** What an action of the origin is: `on`, `off`, `away`, or something else. */
  readonly actionOf: (action: unknown) => string | undefined
  readonly onFinding: (finding: Finding) => void
  /** Epoch milliseconds: what is later than this has not been. */
  readonly nowMs: number
}

/**
 * Makes of the activity logs of one device, in the order of time, what happened to its switches. A switch is found by its id,
 * else by its name, for ids do not last in the origin. The silence of the device ends what runs on it.
 */
export class PressReader {
  readonly #parts: PressParts
  readonly #courses: readonly SwitchCourse[]

  constructor(switches: readonly AdoptedSwitch[], parts: PressParts) {
    this.#parts = parts
    this.#courses = switches.map((target) => ({
      target,
      waiting: undefined,
      last: undefined,
      running: undefined,
    }))
  }

  /** @returns what is certain now, in the order of time of each switch. */
  read(log: Document): SwitchChange[] {
    const at = dateOf(log.timestamp)
    const action = this.#parts.actionOf(log.action)
    if (at === undefined) return this.#leave(log, 'an id or a time of the wrong type')
    const incredible = whyNotCredible(at, this.#parts.nowMs)
    if (incredible !== undefined) return this.#leave(log, incredible)
    if (action === 'away') return this.#goAway(log, at.getTime())
    if (action !== 'on' && action !== 'off') return this.#leave(log, `no counterpart for ${shownId(log.action)}`)
    if (log.switchId === undefined) return this.#leave(log, 'switched without a switch')
    const course = this.#courseOf(log)
    if (course === undefined)
      return this.#leave(log, 'of a switch that the device does not have, under no name that it has')
    return this.#press(course, log, at.getTime(), action === 'on')
  }

  /** What is certain once there are no more logs. */
  end(): SwitchChange[] {
    const changes = this.#courses.flatMap((course) => this.#settle(course))
    for (const { running, last } of this.#courses) {
      if (running !== undefined && last !== undefined) this.#note(last.log, 'still on at the end')
    }
    return changes
  }

  #press(course: SwitchCourse, log: Document, atMs: number, isOn: boolean): SwitchChange[] {
    const { last } = course
    const logged = wattsOf(log.powerConsumption)
    if (last !== undefined && last.isOn === isOn && atMs - last.atMs <= samePressMs) {
      last.powerW ??= logged
      return this.#leave(log, `reports the same press as ${shownId(last.log._id)}`)
    }
    const settled = this.#settle(course)
    course.waiting = { atMs, isOn, log, powerW: logged }
    course.last = course.waiting
    return settled
  }

  #settle(course: SwitchCourse): SwitchChange[] {
    const { waiting, running, target } = course
    if (waiting === undefined) return []
    course.waiting = undefined
    const { atMs, isOn, log } = waiting
    const change = { target, atMs, isOn, log, collection, isInferred: false }
    if (!isOn) {
      course.running = undefined
      if (running === undefined) {
        this.#note(log, 'off without an on: no energy')
        return [{ ...change, powerW: target.ratingW }]
      }
      return [{ ...change, powerW: running.powerW, ended: endedAt(running, atMs) }]
    }
    if (running !== undefined) {
      this.#note(log, 'on while it was on: no effect')
      return [{ ...change, powerW: running.powerW }]
    }
    if (waiting.powerW === undefined && isGiven(log.powerConsumption))
      this.#note(log, 'its power cannot be one: the rating of its switch was taken')
    const powerW = this.#powerOf(waiting, target)
    course.running = { sinceMs: atMs, powerW }
    return [{ ...change, powerW }]
  }

  #goAway(log: Document, atMs: number): SwitchChange[] {
    const settled = this.#courses.flatMap((course) => this.#settle(course))
    if (this.#courses.every(({ running }) => running === undefined)) this.#leave(log, 'nothing of its device was on')
    return [...settled, ...this.#courses.flatMap((course) => this.#endInferred(course, log, atMs))]
  }

  #endInferred(course: SwitchCourse, log: Document, atMs: number): SwitchChange[] {
    const { running, target } = course
    if (running === undefined) return []
    course.running = undefined
    const ended = endedAt(running, atMs)
    return [{ target, atMs, isOn: false, powerW: running.powerW, log, collection, isInferred: true, ended }]
  }

  /** A press that never reached the device switched nothing on. */
  #powerOf({ log, powerW }: Press, { ratingW }: AdoptedSwitch): number {
    if (log.deviceStatus?.isOnline === false) return 0
    return powerW !== undefined && powerW > 0 ? powerW : ratingW
  }

  #courseOf(log: Document): SwitchCourse | undefined {
    const target = switchOf(
      this.#courses.map((course) => course.target),
      log,
    )
    return this.#courses.find((course) => course.target === target)
  }

  #leave(document: Document, reason: string): [] {
    this.#parts.onFinding({ kind: 'left', collection, document, reason })
    return []
  }

  #note(document: Document, reason: string): void {
    this.#parts.onFinding({ kind: 'noted', collection, document, reason })
  }
}

export function endedAt({ sinceMs, powerW }: Running, untilMs: number): EndedStretch {
  return { sinceMs, energyMws: Math.round(powerW * (untilMs - sinceMs)) }
}
