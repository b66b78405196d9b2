import type { DeviceSwitch } from '../devices/device.js'
import type { LedgerEvent } from '../ledger/entry.js'
import { type Boot, readBootClock } from './boot-clock.js'
import type { KnownDevice } from './device-directory.js'
import { switchEvent } from './ledger-event.js'
import type { SnapshotReport, SwitchReport } from './report.js'

/** A change of a switch's state, as the ledger has it. */
export interface StateChange {
  readonly atMs: number
  readonly on: boolean
  /** Read off a snapshot: an event about the same press may still come. */
  readonly isSnapshot: boolean
}

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
  readonly pricePerKwh: number
  readonly digest: string
}

const rememberedChanges = 16
const rememberedSigns = 64

/**
 * A device whose messages know order only by arrival. It believes each switch to be in a state, and turns what is heard
 * into ledger events: one for each press, though a press shows up both as an event and in a snapshot.
 */
export class OrderedDevice {
  readonly #device: KnownDevice
  readonly #changes = new Map<number, StateChange[]>()
  /** Recent signs of life, in the order of time. */
  readonly #signs: number[] = []
  #boot: Boot | undefined
  /** The last event that was placed by the device's own clock. */
  #placed: { readonly bootId: string; readonly runMs: number; readonly atMs: number } | undefined

  constructor(device: KnownDevice, memory: DeviceMemory) {
    this.#device = device
    this.#boot = memory.boot
    if (memory.aliveMs !== undefined) this.#signs.push(memory.aliveMs)
    for (const [gpio, changes] of memory.changes) this.#changes.set(gpio, [...changes])
  }

  get boot(): Boot | undefined {
    return this.#boot
  }

  /** Whether the switch is believed to be on; undefined if nothing is known of it. */
  isOn(gpio: number): boolean | undefined {
    return this.#changes.get(gpio)?.at(-1)?.on
  }

  /** A snapshot of all relays: what differs from what is believed has changed. */
  takeSnapshot(report: SnapshotReport, arrival: Arrival): LedgerEvent[] {
    const silentSinceMs = this.#silenceBefore(arrival)
    this.#heard(arrival.arrivalMs)
    return report.switches.flatMap(({ gpio, on }) => {
      const target = this.#device.switches.get(gpio)
      const believed = this.#stateAt(gpio, arrival.arrivalMs)
      const isSilenceNoted = silentSinceMs !== undefined && believed !== undefined && target?.energySource === 'rated'
      if (target === undefined || (believed === on && !isSilenceNoted)) return []
      this.#remember(gpio, { atMs: arrival.arrivalMs, on, isSnapshot: true })
      return [
        switchEvent(this.#device, target, {
          on,
          instant: { atMs: arrival.arrivalMs, flags: isSilenceNoted ? ['snapshot', 'estimated'] : ['snapshot'] },
          arrivalMs: arrival.arrivalMs,
          pricePerKwh: arrival.pricePerKwh,
          idempotencyKey: `snapshot:${arrival.arrivalMs.toString(36)}:${arrival.digest.slice(0, 16)}:${gpio}`,
          silentSinceMs: isSilenceNoted ? silentSinceMs : undefined,
        }),
      ]
    })
  }

  /** A relay was moved. @returns the events, and whether the state at that time was known already. */
  takeSwitch(
    report: SwitchReport,
    target: DeviceSwitch,
    arrival: Arrival,
  ): { events: LedgerEvent[]; atMs: number; key: string } {
    const placed = this.#place(report, arrival)
    const key = `${placed.bootId ?? 'b'}:${placed.uptimeMs ?? `${arrival.arrivalMs.toString(36)}.${arrival.digest.slice(0, 16)}`}:${report.gpio}:${report.messageId ?? report.cause}`
    const restart = placed.isNewBoot ? this.#restart(arrival, report) : []
    const silence = placed.isNewBoot ? [] : this.#silence(arrival, placed.atMs)
    this.#heard(arrival.arrivalMs)
    if (this.#isKnown(report.gpio, report.on, placed.atMs))
      return { events: [...restart, ...silence], atMs: placed.atMs, key }
    this.#remember(report.gpio, { atMs: placed.atMs, on: report.on, isSnapshot: false })
    const event = switchEvent(this.#device, target, {
      on: report.on,
      instant: { atMs: placed.atMs, flags: [] },
      arrivalMs: arrival.arrivalMs,
      pricePerKwh: arrival.pricePerKwh,
      idempotencyKey: key,
      boot: placed.bootId,
    })
    return { events: [...restart, ...silence, event], atMs: placed.atMs, key }
  }

  /** Any other authentic message: a sign of life. */
  takeSignOfLife(arrival: Arrival): LedgerEvent[] {
    const events = this.#silence(arrival, arrival.arrivalMs)
    this.#heard(arrival.arrivalMs)
    return events
  }

  /** Where in time the message belongs, by the device's own clock where it has one. */
  #place(report: SwitchReport, { arrivalMs, heardSinceMs }: Arrival) {
    if (report.time?.kind !== 'uptime')
      return { atMs: arrivalMs, bootId: this.#boot?.id, uptimeMs: undefined, isNewBoot: false }
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

  /**
   * Whether the press is in the ledger: the switch was in that state then, or the next change after it is the same press,
   * read off the snapshot that the device sent because of it.
   */
  #isKnown(gpio: number, on: boolean, atMs: number): boolean {
    const changes = this.#changes.get(gpio) ?? []
    if (this.#stateAt(gpio, atMs) === on) return true
    const next = changes.find((change) => change.atMs > atMs)
    return next?.isSnapshot === true && next.on === on && next.atMs - atMs <= this.#device.gapLimitMs
  }

  /** What the switch was at a time, as far as that is remembered. */
  #stateAt(gpio: number, atMs: number): boolean | undefined {
    return this.#changes.get(gpio)?.findLast((change) => change.atMs <= atMs)?.on
  }

  /** Since when the device was silent, if that is longer than its gap limit. */
  #silenceBefore({ arrivalMs }: Arrival): number | undefined {
    const last = this.#signs.at(-1)
    return last !== undefined && arrivalMs - last > this.#device.gapLimitMs ? last : undefined
  }

  /**
   * The device comes back after a silence with something else than a snapshot: its rated switches are still in the states
   * that they were believed to be in, as far as one knows. Noted just before what it reports now.
   */
  #silence(arrival: Arrival, atMs: number): LedgerEvent[] {
    const silentSinceMs = this.#silenceBefore(arrival)
    if (silentSinceMs === undefined || atMs <= silentSinceMs) return []
    return this.#ratedSwitches().map(([gpio, target, on]) => {
      this.#remember(gpio, { atMs: atMs - 1, on, isSnapshot: false })
      return switchEvent(this.#device, target, {
        on,
        instant: { atMs: atMs - 1, flags: ['estimated'] },
        arrivalMs: arrival.arrivalMs,
        pricePerKwh: arrival.pricePerKwh,
        idempotencyKey: `silence:${silentSinceMs.toString(36)}:${gpio}`,
        silentSinceMs,
      })
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
    return this.#ratedSwitches().flatMap(([gpio, target, believed]) => {
      const changes = this.#changes.get(gpio) ?? []
      const wasOn = changes.findLast((change) => change.atMs <= lastSignMs)?.on ?? false
      const isMovedNow = gpio === report.gpio && !changes.some((change) => change.atMs > startedMs)
      const restored = isMovedNow ? !report.on : believed
      const fact = (on: boolean, atMs: number) => {
        this.#remember(gpio, { atMs, on, isSnapshot: false })
        return switchEvent(this.#device, target, {
          on,
          instant: { atMs, flags: ['reboot', 'estimated'] },
          arrivalMs: arrival.arrivalMs,
          pricePerKwh: arrival.pricePerKwh,
          idempotencyKey: `reboot:${boot.id}:${gpio}:${on ? 1 : 0}`,
          boot: boot.id,
        })
      }
      return [...(wasOn ? [fact(false, lastSignMs)] : []), ...(restored ? [fact(true, startedMs)] : [])]
    })
  }

  #ratedSwitches(): [gpio: number, target: DeviceSwitch, on: boolean][] {
    return this.#device.ratedSwitches.flatMap((target): [number, DeviceSwitch, boolean][] => {
      const on = this.isOn(target.gpio)
      return on === undefined ? [] : [[target.gpio, target, on]]
    })
  }

  #heard(arrivalMs: number): void {
    if (arrivalMs < (this.#signs.at(-1) ?? Number.NEGATIVE_INFINITY)) return
    this.#signs.push(arrivalMs)
    if (this.#signs.length > rememberedSigns) this.#signs.shift()
  }

  #remember(gpio: number, change: StateChange): void {
    const changes = this.#changes.get(gpio) ?? []
    const at = changes.findLastIndex((other) => other.atMs <= change.atMs) + 1
    changes.splice(at, 0, change)
    if (changes.length > rememberedChanges) changes.shift()
    this.#changes.set(gpio, changes)
  }
}
