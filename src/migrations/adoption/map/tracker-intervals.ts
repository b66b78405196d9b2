import type { Document } from 'mongodb'
import { whyNotCredible } from './credible.js'
import type { Finding } from './mapped.js'
import type { SwitchChange } from './presses.js'
import { type AdoptedSwitch, switchOf } from './switches.js'
import { dateOf, numberOf, shownId, wattsOf } from './values.js'

const collection = 'device_consumption_ledger'

export interface TrackerParts {
  /** Whether logs cover the switch: energy is counted from one source. */
  readonly hasBetterSource: (target: AdoptedSwitch) => boolean
  readonly onFinding: (finding: Finding) => void
  /** Epoch milliseconds: what is later than this has not been. */
  readonly nowMs: number
}

/** An interval that agrees with itself; times are epoch milliseconds. */
interface Interval {
  readonly fromMs: number
  readonly toMs: number
  readonly powerW: number
}

/**
 * Makes of the intervals of the origin's power tracker, in the order of their starts, what happened to those switches of one
 * device that no logs cover. An interval says its energy twice, and is taken where both agree.
 */
export class TrackerReader {
  readonly #switches: readonly AdoptedSwitch[]
  readonly #parts: TrackerParts
  /** The last interval of each switch. */
  readonly #last = new Map<AdoptedSwitch, Interval>()

  constructor(switches: readonly AdoptedSwitch[], parts: TrackerParts) {
    this.#switches = switches
    this.#parts = parts
  }

  read(log: Document): SwitchChange[] {
    // Without a room nothing but the id says which switch it was.
    const switchName = log.classroom === undefined ? undefined : log.switch_name
    const target = switchOf(this.#switches, { switchId: log.switch_id, switchName })
    const interval = intervalOf(log, this.#parts.nowMs)
    if (typeof interval === 'string') return this.#leave(log, interval)
    if (target === undefined) return this.#leave(log, 'a switch that the device does not have; no room')
    if (this.#parts.hasBetterSource(target)) return this.#leave(log, 'logs cover its switch')
    const last = this.#last.get(target)
    if (last?.fromMs === interval.fromMs) return this.#leave(log, 'the same interval once more')
    if (last !== undefined && last.toMs > interval.fromMs)
      return this.#leave(log, 'begins before the interval before it has ended')
    this.#last.set(target, interval)
    const { fromMs, toMs, powerW } = interval
    const change = { target, powerW, log, collection, isInferred: false }
    const ended = { sinceMs: fromMs, energyMws: Math.round(powerW * (toMs - fromMs)) }
    return [
      { ...change, atMs: fromMs, isOn: true, part: 'on' },
      { ...change, atMs: toMs, isOn: false, part: 'off', ended },
    ]
  }

  end(): SwitchChange[] {
    return []
  }

  #leave(document: Document, reason: string): [] {
    this.#parts.onFinding({ kind: 'left', collection, document, reason })
    return []
  }
}

/** The interval, or why it is none. */
function intervalOf(
  { start_ts, end_ts, switch_id, power_w, delta_wh, switch_on_duration_seconds }: Document,
  nowMs: number,
): Interval | string {
  const [from, to] = [dateOf(start_ts), dateOf(end_ts)]
  const [powerW, energyWh, seconds] = [power_w, delta_wh, switch_on_duration_seconds].map(numberOf)
  if (from === undefined || to === undefined) return 'an id or a time of the wrong type'
  const incredible = whyNotCredible(from, nowMs) ?? whyNotCredible(to, nowMs)
  if (incredible !== undefined) return incredible
  if (powerW === undefined || energyWh === undefined || seconds === undefined || powerW < 0)
    return `no number for the power, energy or time of ${shownId(switch_id)}`
  if (wattsOf(powerW) === undefined) return 'a power that no switch has'
  if (to <= from) return 'ends before it starts'
  // Both are rounded by the origin.
  if (Math.abs(energyWh - (powerW * seconds) / 3600) > Math.max(0.5, 0.01 * energyWh))
    return 'energy is not power by time'
  return { fromMs: from.getTime(), toMs: to.getTime(), powerW }
}
