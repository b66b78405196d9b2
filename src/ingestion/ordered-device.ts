import type { DeviceSwitch } from '../devices/device.js'
import type { Prices } from '../energy/tariffs/price-book.js'
import type { EntryFlag, LedgerEvent } from '../ledger/entry/entry.js'
import { type Boot, readBootClock } from './boot-clock.js'
import type { KnownDevice } from './device-directory.js'
import { switchEvent } from './ledger-event.js'
import type { SnapshotReport, SwitchReport } from './report.js'
import { type StateChange, SwitchStates } from './switch-states.js'

/** What was known of a device before a message. */
export interface DeviceMemory {
  /** The last sign of life that is beyond doubt. */
  readonly aliveMs: number | undefined
  readonly boot: Boot | undefined
  /** The last changes of each switch, by its gpio, in the order of time. */
  readonly changes: ReadonlyMap<number, readonly StateChange[]>
}

/** The arrival of a message. */
export interface Arrival {
  readonly arrivalMs: number
  /** Since when it may have been waiting for us. */
  readonly heardSinceMs: number
  readonly prices: Prices
  /** Tells the message from every other one that arrived in the same millisecond. */
  readonly mark: string
}

/** What a relay that was moved comes to. */
export interface TakenSwitch {
  readonly events: LedgerEvent[]
  /** When it was moved. */
  readonly atMs: number
  /** The identity of the event. */
  readonly key: string
}

const rememberedSigns = 64
const rememberedKeys = 256

/**
 * A device whose messages know order only by arrival. It believes each switch to be in a state, and turns what is heard
 * into ledger events: one for each press, though a press shows up both as an event and in a snapshot.
 */
export class OrderedDevice {
  readonly #device: KnownDevice
  readonly #states: SwitchStates
  /** Recent signs of life, in the order of time. */
  readonly #signs: number[] = []
  readonly #keys = new Set<string>()
  #boot: Boot | undefined
  /** The last event that was placed by the device's own clock. */
  #placed: { readonly bootId: string; readonly runMs: number; readonly atMs: number } | undefined

  constructor(device: KnownDevice, memory: DeviceMemory) {
    this.#device = device
    this.#boot = memory.boot
    this.#states = new SwitchStates(memory.changes)
    if (memory.aliveMs !== undefined) this.#signs.push(memory.aliveMs)
  }

  get boot(): Boot | undefined {
    return this.#boot
  }

  /** Whether the switch is believed to be on; undefined if nothing is known of it. */
  isOn(gpio: number): boolean | undefined {
    return this.#states.now(gpio)
  }

  /** A snapshot of all relays: what differs from what is believed has changed. */
  takeSnapshot(report: SnapshotReport, arrival: Arrival): LedgerEvent[] {
    const { arrivalMs } = arrival
    const silentSinceMs = this.#silenceBefore(arrivalMs)
    const isPast = this.#isPast(arrivalMs)
    this.#heard(arrivalMs)
    return report.switches.flatMap(({ gpio, on }) => {
      const target = this.#device.switches.get(gpio)
      const believed = isPast ? this.#states.at(gpio, arrivalMs) : this.#states.now(gpio)
      const isSilenceNoted = silentSinceMs !== undefined && believed !== undefined && target?.energySource === 'rated'
      if (target === undefined || (believed === on && !isSilenceNoted)) return []
      const atMs = isPast ? arrivalMs : this.#states.afterLast(gpio, arrivalMs)
      this.#states.note(gpio, { atMs, on, isSnapshot: true })
      const flags: EntryFlag[] = isSilenceNoted ? ['snapshot', 'estimated'] : ['snapshot']
      const key = `snapshot:${arrivalMs.toString(36)}:${arrival.mark}:${gpio}`
      return [
        this.#event(target, on, atMs, flags, key, arrival, {
          silentSinceMs: isSilenceNoted ? silentSinceMs : undefined,
        }),
      ]
    })
  }

  /** A relay was moved: by the wall switch, or by a command. */
  takeSwitch(report: SwitchReport, target: DeviceSwitch, arrival: Arrival): TakenSwitch {
    const isPast = this.#isPast(arrival.arrivalMs)
    const placed = this.#place(report, arrival)
    const mark = placed.uptimeMs ?? `${arrival.arrivalMs.toString(36)}.${arrival.mark}`
    const key = `${placed.bootId ?? 'b'}:${mark}:${report.gpio}:${report.messageId ?? report.cause}`
    if (this.#keys.has(key)) return { events: [], atMs: placed.atMs, key }
    this.#rememberKey(key)
    const before = placed.isNewBoot ? this.#restart(arrival, report) : this.#silence(arrival, placed.atMs)
    this.#heard(arrival.arrivalMs)
    const isKnown = isPast
      ? this.#states.isPastPressKnown(report.gpio, report.on, placed.atMs, this.#device.gapLimitMs)
      : this.#states.claimPress(
          report.gpio,
          report.on,
          placed.atMs,
          this.#device.gapLimitMs,
          arrival.heardSinceMs < arrival.arrivalMs,
        )
    if (isKnown) return { events: before, atMs: placed.atMs, key }
    const atMs = isPast ? placed.atMs : this.#states.afterLast(report.gpio, placed.atMs)
    this.#states.note(report.gpio, { atMs, on: report.on, isSnapshot: false })
    return {
      events: [...before, this.#event(target, report.on, atMs, [], key, arrival, { boot: placed.bootId })],
      atMs,
      key,
    }
  }

  /** Any other authentic message: a sign of life. */
  takeSignOfLife(arrival: Arrival): LedgerEvent[] {
    const events = this.#silence(arrival, arrival.arrivalMs)
    this.#heard(arrival.arrivalMs)
    return events
  }

  /** Where in time the message belongs, by the device's own clock where it has one. */
  #place(report: SwitchReport, { arrivalMs, heardSinceMs }: Arrival) {
    if (report.time?.kind !== 'uptime') {
      return { atMs: arrivalMs, bootId: this.#boot?.id, uptimeMs: undefined, isNewBoot: false }
    }
    const { boot, atMs, runMs, isNewBoot } = readBootClock(this.#boot, report.time.ms, arrivalMs, heardSinceMs)
    // A message of an earlier run, replayed, says nothing about the present one.
    if (this.#boot === undefined || isNewBoot || boot.id === this.#boot.id) this.#boot = boot
    const placed = { bootId: boot.id, runMs, atMs: this.#inOrder(boot.id, runMs, Math.round(atMs)) }
    this.#placed = placed
    return { ...placed, uptimeMs: report.time.ms, isNewBoot }
  }

  /** The instant of the boot is refined with every message; that must not put a later event before an earlier one. */
  #inOrder(bootId: string, runMs: number, atMs: number): number {
    const last = this.#placed
    if (last?.bootId !== bootId || runMs <= last.runMs) return atMs
    return Math.max(atMs, last.atMs + 1)
  }

  /** Whether the message is an old one that is replayed: the device was heard since. */
  #isPast(arrivalMs: number): boolean {
    return arrivalMs < (this.#signs.at(-1) ?? Number.NEGATIVE_INFINITY)
  }

  /** Since when the device was silent, if that is longer than its gap limit. */
  #silenceBefore(arrivalMs: number): number | undefined {
    const last = this.#signs.at(-1)
    return last !== undefined && arrivalMs - last > this.#device.gapLimitMs ? last : undefined
  }

  /**
   * The device comes back after a silence with something else than a snapshot: its rated switches are still in the states
   * that they were believed to be in, as far as one knows. Noted just before what it reports now.
   */
  #silence(arrival: Arrival, atMs: number): LedgerEvent[] {
    const silentSinceMs = this.#silenceBefore(arrival.arrivalMs)
    if (silentSinceMs === undefined || atMs <= silentSinceMs + 1) return []
    return this.#ratedSwitches().map(([target, on]) => {
      const notedMs = this.#states.afterLast(target.gpio, atMs - 1)
      this.#states.note(target.gpio, { atMs: notedMs, on, isSnapshot: false })
      const key = `silence:${silentSinceMs.toString(36)}:${target.gpio}`
      return this.#event(target, on, notedMs, ['estimated'], key, arrival, { silentSinceMs })
    })
  }

  /**
   * The device has started again: its switches were off from the last sign of life before that until the start, and then in
   * the state that they were restored to, which is the one they are believed to be in, or, for the one that was moved now,
   * the one that it was moved from.
   */
  #restart(arrival: Arrival, report: SwitchReport): LedgerEvent[] {
    const boot = this.#boot
    if (boot === undefined) return []
    const startedMs = Math.round(boot.startedMs)
    const lastSignMs = this.#signs.findLast((sign) => sign < startedMs)
    if (lastSignMs === undefined) return []
    return this.#ratedSwitches().flatMap(([target, believed]) => {
      const { gpio } = target
      const wasOn = this.#states.at(gpio, lastSignMs) ?? false
      const isMovedNow = gpio === report.gpio && !this.#states.changedAfter(gpio, startedMs)
      const restored = isMovedNow ? !report.on : believed
      const fact = (on: boolean, atMs: number) => {
        this.#states.note(gpio, { atMs, on, isSnapshot: false })
        const key = `reboot:${boot.id}:${gpio}:${on ? 1 : 0}`
        return this.#event(target, on, atMs, ['reboot', 'estimated'], key, arrival, { boot: boot.id })
      }
      return [...(wasOn ? [fact(false, lastSignMs)] : []), ...(restored ? [fact(true, startedMs)] : [])]
    })
  }

  #ratedSwitches(): [target: DeviceSwitch, on: boolean][] {
    return this.#device.ratedSwitches.flatMap((target): [DeviceSwitch, boolean][] => {
      const on = this.#states.now(target.gpio)
      return on === undefined ? [] : [[target, on]]
    })
  }

  #event(
    target: DeviceSwitch,
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

  #heard(arrivalMs: number): void {
    if (this.#isPast(arrivalMs)) return
    this.#signs.push(arrivalMs)
    if (this.#signs.length > rememberedSigns) this.#signs.shift()
  }

  #rememberKey(key: string): void {
    this.#keys.add(key)
    if (this.#keys.size <= rememberedKeys) return
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest)
      return
    }
  }
}
