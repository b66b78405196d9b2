import type { SimulatedDevice } from './plan.js'
import type { Random } from './random.js'
import type { Timers } from './timers.js'

/** What can be wrong with what a channel measures. */
export const meterTroubles = [
  'over_temperature',
  'over_current',
  'over_voltage',
  'under_voltage',
  'over_power',
  'idle_use',
  'meter_stuck',
  'meter_backwards',
] as const
export type MeterTrouble = (typeof meterTroubles)[number]

/** The kinds of alerts that the simulator can cause. */
export const troubleKinds = [...meterTroubles, 'device_offline'] as const
export type TroubleKind = (typeof troubleKinds)[number]

interface Victim {
  readonly device: SimulatedDevice
  readonly gpio: number
}

/** The loads that a trouble is told apart from others with; of the other kinds any meter will do. */
export const loadOfTrouble: Partial<Record<TroubleKind, string>> = {
  over_power: 'computers',
  idle_use: 'kitchen',
  meter_stuck: 'kitchen',
  meter_backwards: 'kitchen',
}
const firstMs = 25_000
/** Who has asked for it wants to look at it. */
const askedForMs = 75_000
/** A device counts as away once it has been so for most of a minute. */
const awayMs = 45_000

/** What goes wrong with meters and lines: something every minute or so, of any kind, and what somebody asks for. */
export class Troubles {
  #devices: readonly SimulatedDevice[] = []
  #random: Random | undefined

  start(devices: readonly SimulatedDevice[], random: Random, timers: Timers): void {
    this.#devices = devices
    this.#random = random
    const happen = () => void this.cause(random.pick(troubleKinds), random.between(30_000, 60_000))
    timers.after(firstMs, happen)
    timers.repeat(() => random.between(50_000, 90_000), happen)
  }

  /** Meters are disturbed so long, a device is away a little longer. @returns the name of the device that it happens to; null before the devices are there. */
  cause(kind: TroubleKind, forMs = askedForMs): string | null {
    const random = this.#random
    if (random === undefined) return null
    const victims = this.#victims(kind)
    if (victims.length === 0) return null
    const { device, gpio } = random.pick(victims)
    if (kind === 'device_offline') device.loseConnection(forMs + awayMs)
    else device.disturb(gpio, kind, forMs)
    return device.plan.name
  }

  #victims(kind: TroubleKind): Victim[] {
    if (kind === 'device_offline') return this.#devices.map((device) => ({ device, gpio: 0 }))
    const load = loadOfTrouble[kind]
    return this.#devices.flatMap((device) =>
      device.plan.switches
        .filter((one) => one.type === 'meter' && (load === undefined || one.load === load))
        .map(({ gpio }) => ({ device, gpio })),
    )
  }
}
