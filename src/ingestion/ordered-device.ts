import type { Prices } from '../energy/tariffs/price-book.js'
import type { LedgerEvent } from '../ledger/entry/entry.js'
import type { EntryFlag } from '../ledger/entry/entry-limits.js'
import { bytesOfText } from './budget.js'
import type { KnownDevice, KnownSwitch } from './device-directory.js'
import { switchEvent } from './ledger-event.js'
import { type Boot, BootClock } from './relay/boot-clock.js'
import {
  type Press,
  type Relay,
  type RelayChange,
  relayOf,
  type Shown,
  stateAt,
  stateOf,
  takePastPress,
  takePastSnapshot,
  takePress,
  takeSnapshot,
  withChange,
} from './relay/relay.js'
import type { SnapshotReport, SwitchReport } from './report.js'

/** Device memory: what was known of a device before a message. */
export interface DeviceMemory {
  /** The last sign of life that is beyond doubt. */
  readonly aliveMs: number | undefined
  readonly boot: Boot | undefined
  /** The last changes of each switch, by its gpio, in the order of time. */
  readonly changes: ReadonlyMap<number, readonly RelayChange[]>
  /** What names the last events. */
  readonly keys: readonly string[]
}

/** The arrival of a message. */
export interface Arrival {
  readonly arrivalMs: number
  /** Since when it may have been waiting for us. */
  readonly waitingSinceMs: number
  readonly prices: Prices
  /** Distinguishes the message from every other one that arrived in the same millisecond. */
  readonly mark: string
}

/** Taken switch: what a relay that was moved comes to. */
export interface TakenSwitch {
  readonly events: LedgerEvent[]
  /** When it was moved. */
  readonly atMs: number
  /** The identity of the event. */
  readonly key: string
  /** When the device had started again, if this is the first that shows it. */
  readonly restartedMs: number | undefined
}

/** Where in time an event belongs. */
interface Placed {
  readonly atMs: number
  readonly bootId: string | undefined
  /** Distinguishes the event from the device's others in its run. */
  readonly mark: string
  readonly isLate: boolean
  readonly uncertaintyMs: number
  readonly restartedMs: number | undefined
}

const rememberedSigns = 64
const rememberedKeys = 256
const nothingKnown = relayOf([])

/**
 * A device whose messages know order only by arrival. It believes each switch to be in a state, and turns messages into
 * ledger events: one for each press, though a press shows up both as an event and in a snapshot.
 */
export class OrderedDevice {
  readonly #device: KnownDevice
  readonly #relays: Map<number, Relay>
  readonly #clock: BootClock
  /** Arrivals of recent signs of life, in the order of time. */
  readonly #signs: number[] = []
  readonly #keys: Set<string>
  #keyBytes: number
  /** The last event that was placed by the device's own clock. */
  #placed: { readonly bootId: string; readonly runMs: number; readonly atMs: number } | undefined

  constructor(device: KnownDevice, memory: DeviceMemory) {
    this.#device = device
    this.#clock = new BootClock(memory.boot)
    this.#keys = new Set(memory.keys)
    this.#keyBytes = [...this.#keys].reduce((bytes, key) => bytes + bytesOfKey(key), 0)
    this.#relays = new Map([...memory.changes].map(([gpio, changes]) => [gpio, relayOf(changes)]))
    if (memory.aliveMs !== undefined) this.#signs.push(memory.aliveMs)
  }

  get boot(): Boot | undefined {
    return this.#clock.boot
  }

  /** What is remembered of it takes, about. */
  get bytes(): number {
    return 2_000 + 600 * this.#relays.size + this.#keyBytes
  }

  /** Whether the switch is believed to be on; undefined if nothing is known of it. */
  isOn(gpio: number): boolean | undefined {
    return stateOf(this.#relay(gpio))
  }

  /** A snapshot of all relays: what differs from what is believed has changed. */
  takeSnapshot(report: SnapshotReport, arrival: Arrival): LedgerEvent[] {
    const { arrivalMs } = arrival
    const silentSinceMs = this.#silenceBefore(arrivalMs)
    const isPast = this.#isPast(arrivalMs)
    this.noteAlive(arrival)
    return report.switches.flatMap(({ gpio, on }) => {
      const target = this.#device.switches.get(gpio)
      if (target === undefined) return []
      const relay = this.#relay(gpio)
      const { change } = this.#learn(gpio, (isPast ? takePastSnapshot : takeSnapshot)(relay, on, arrivalMs))
      const isSilenceNoted = silentSinceMs !== undefined && stateOf(relay) !== undefined && isRated(target)
      if (change === undefined && !isSilenceNoted) return []
      const flags: EntryFlag[] = isSilenceNoted ? ['snapshot', 'estimated'] : ['snapshot']
      const key = `snapshot:${arrivalMs.toString(36)}:${arrival.mark}:${gpio}`
      const more = { silentSinceMs: isSilenceNoted ? silentSinceMs : undefined }
      return [this.#event(target, on, change?.atMs ?? arrivalMs, flags, key, arrival, more)]
    })
  }

  /** A relay was moved: by the wall switch, or by a command. */
  takeSwitch(report: SwitchReport, target: KnownSwitch, arrival: Arrival): TakenSwitch {
    const { gpio, on } = report
    const { arrivalMs } = arrival
    const again = this.#takeAgain(report, arrival)
    if (again !== undefined) return again
    const isReplayed = this.#isPast(arrivalMs)
    const placed = this.#place(report, arrival)
    const { atMs, bootId, restartedMs } = placed
    const key = keyOf(report, bootId, placed.mark)
    const isKnown = this.#keys.has(key)
    this.#rememberKey(key)
    const before = restartedMs === undefined ? [] : this.#restart(restartedMs, arrival, report)
    this.noteAlive(arrival)
    if (isKnown) return { events: before, atMs, key, restartedMs }
    const { uncertaintyMs } = placed
    const press: Press = { on, atMs, arrivalMs, uncertaintyMs, shownWithinMs: this.#device.gapLimitMs }
    const take = isReplayed || placed.isLate ? takePastPress : takePress
    const { change } = this.#learn(gpio, take(this.#relay(gpio), press))
    if (change === undefined) return { events: before, atMs, key, restartedMs }
    const event = this.#event(target, on, change.atMs, [], key, arrival, { boot: bootId })
    return { events: [...before, event], atMs: change.atMs, key, restartedMs }
  }

  /** The event that is known already; undefined if it is not. Looked at first: it must not pass for a restart. */
  #takeAgain(report: SwitchReport, arrival: Arrival): TakenSwitch | undefined {
    const run = report.time?.kind === 'uptime' ? this.#clock.inPresentRun(report.time.ms) : undefined
    if (run === undefined) return undefined
    const key = keyOf(report, run.boot.id, String(run.runMs))
    if (!this.#keys.has(key)) return undefined
    this.noteAlive(arrival)
    const atMs = Math.min(Math.round(run.boot.startedMs + run.runMs), arrival.arrivalMs)
    return { events: [], atMs, key, restartedMs: undefined }
  }

  /** An authentic message came. One that is replayed is an old sign: the device was alive since. */
  noteAlive({ arrivalMs }: Arrival): void {
    if (this.#isPast(arrivalMs)) return
    this.#signs.push(arrivalMs)
    if (this.#signs.length > rememberedSigns) this.#signs.shift()
  }

  /** Where in time the message belongs, by the device's own clock where it has one. */
  #place(report: SwitchReport, { arrivalMs, waitingSinceMs, mark }: Arrival): Placed {
    if (report.time?.kind !== 'uptime') {
      const own = { bootId: this.boot?.id, mark: `${arrivalMs.toString(36)}.${mark}` }
      return { ...own, atMs: arrivalMs, isLate: false, uncertaintyMs: 0, restartedMs: undefined }
    }
    const { boot, runMs, isLate, uncertaintyMs, ...read } = this.#clock.read(report.time.ms, arrivalMs, waitingSinceMs)
    const atMs = this.#inOrder(boot.id, runMs, Math.round(read.atMs))
    const restartedMs = read.isNewBoot ? Math.round(boot.startedMs) : undefined
    return { atMs, bootId: boot.id, mark: String(runMs), isLate, uncertaintyMs, restartedMs }
  }

  /** The start of the run is corrected with every message; that must not put a later event before an earlier one. */
  #inOrder(bootId: string, runMs: number, atMs: number): number {
    const last = this.#placed
    const isOfSameRun = last?.bootId === bootId
    if (isOfSameRun && runMs < last.runMs) return Math.min(atMs, last.atMs - 1)
    const placedMs = isOfSameRun && runMs > last.runMs ? Math.max(atMs, last.atMs + 1) : atMs
    this.#placed = { bootId, runMs, atMs: placedMs }
    return placedMs
  }

  /** Whether the message is an old one that is replayed: the device was alive since. */
  #isPast(arrivalMs: number): boolean {
    return arrivalMs < (this.#signs.at(-1) ?? Number.NEGATIVE_INFINITY)
  }

  /** Since when the device was silent, if that is longer than its gap limit. */
  #silenceBefore(arrivalMs: number): number | undefined {
    const last = this.#signs.at(-1)
    return last !== undefined && arrivalMs - last > this.#device.gapLimitMs ? last : undefined
  }

  /**
   * The device has started again: its switches were off from the last sign of life before that until the start, and then in
   * the state that they were restored to, which is the one they are believed to be in, or, for the one that was moved now,
   * the one that it was moved from.
   */
  #restart(startedMs: number, arrival: Arrival, report: SwitchReport): LedgerEvent[] {
    const lastSignMs = this.#signs.findLast((sign) => sign < startedMs)
    const bootId = this.boot?.id
    if (lastSignMs === undefined) return []
    return this.#device.ratedSwitches.flatMap((target) => {
      const { gpio } = target
      const relay = this.#relay(gpio)
      const believed = stateOf(relay)
      if (believed === undefined) return []
      const wasOn = stateAt(relay, lastSignMs) ?? false
      const isMovedNow = gpio === report.gpio && !relay.changes.some(({ atMs }) => atMs > startedMs)
      const restored = isMovedNow ? !report.on : believed
      const fact = (on: boolean, atMs: number) => {
        this.#relays.set(gpio, withChange(this.#relay(gpio), { atMs, on, isSnapshot: false }))
        const key = `reboot:${bootId}:${gpio}:${on ? 1 : 0}`
        return this.#event(target, on, atMs, ['reboot', 'estimated'], key, arrival, { boot: bootId })
      }
      return [...(wasOn ? [fact(false, lastSignMs)] : []), ...(restored ? [fact(true, startedMs)] : [])]
    })
  }

  #relay(gpio: number): Relay {
    return this.#relays.get(gpio) ?? nothingKnown
  }

  #learn(gpio: number, shown: Shown): Shown {
    this.#relays.set(gpio, shown.relay)
    return shown
  }

  #event(
    target: KnownSwitch,
    on: boolean,
    atMs: number,
    flags: readonly EntryFlag[],
    idempotencyKey: string,
    { arrivalMs, prices }: Arrival,
    more: { readonly silentSinceMs?: number | undefined; readonly boot?: string | undefined },
  ): LedgerEvent {
    return switchEvent(this.#device, target, {
      on,
      instant: { atMs, flags },
      arrivalMs,
      prices,
      idempotencyKey,
      ...more,
    })
  }

  #rememberKey(key: string): void {
    if (!this.#keys.has(key)) this.#keyBytes += bytesOfKey(key)
    this.#keys.add(key)
    const [oldest] = this.#keys
    if (this.#keys.size <= rememberedKeys || oldest === undefined) return
    this.#keys.delete(oldest)
    this.#keyBytes -= bytesOfKey(oldest)
  }
}

/** What names the event among the device's. */
function keyOf({ gpio, messageId, cause }: SwitchReport, bootId: string | undefined, mark: string): string {
  return `${bootId ?? 'b'}:${mark}:${gpio}:${messageId ?? cause}`
}

function bytesOfKey(key: string): number {
  return 50 + bytesOfText(key)
}

function isRated({ energySource }: KnownSwitch): boolean {
  return energySource === 'rated'
}
