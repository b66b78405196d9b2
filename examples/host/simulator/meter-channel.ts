import { createLoad, type Load } from './load-curves.js'
import type { SwitchPlan } from './plan.js'
import type { Random } from './random.js'
import type { MeterTrouble } from './troubles.js'

/** W; what is drawn besides. A counter that stands still does so while something is drawn. */
const excessW: Partial<Record<MeterTrouble, number>> = { over_power: 7_500, idle_use: 3_600, meter_stuck: 900 }
const usualV = [226, 236] as const
const highV = [256, 264] as const
const lowV = [188, 199] as const

/** A load that is measured: its power, and with some meters a counter of its energy. */
export class MeterChannel {
  readonly gpio: number
  readonly #plan: SwitchPlan
  readonly #random: Random
  readonly #load: Load
  /** The meter keeps it over a restart of the device. */
  #energyWh: number
  #readMs = performance.now()
  /** What is wrong, and until when. */
  readonly #troubles = new Map<MeterTrouble, number>()

  constructor(plan: SwitchPlan, kind: NonNullable<SwitchPlan['load']>, random: Random) {
    this.gpio = plan.gpio
    this.#plan = plan
    this.#random = random
    this.#load = createLoad(kind, random)
    this.#energyWh = random.between(10_000, 900_000)
  }

  /** From now on something is wrong for a while. */
  disturb(kind: MeterTrouble, forMs: number): void {
    this.#troubles.set(kind, performance.now() + forMs)
    if (kind === 'meter_backwards') this.#energyWh -= this.#random.between(300, 900)
  }

  /** What a `power` message says of it. */
  read(isOn: boolean): object {
    const nowMs = performance.now()
    const has = (kind: MeterTrouble) => nowMs < (this.#troubles.get(kind) ?? 0)
    const excess = Object.entries(excessW).map(([kind, watts]) => (has(kind as MeterTrouble) ? watts : 0))
    const powerW = excess.reduce((sum, watts) => sum + watts, this.#load(isOn, nowMs))
    const countedW = has('meter_stuck') ? 0 : Math.max(0, powerW)
    this.#energyWh += (countedW * (nowMs - this.#readMs)) / 3_600_000
    this.#readMs = nowMs
    const strange: readonly [number, number] = has('over_voltage') ? highV : has('under_voltage') ? lowV : usualV
    const voltageV = round(this.#random.between(...strange))
    const currentA = Math.abs(powerW) / voltageV
    return {
      gpio: this.gpio,
      state: isOn,
      powerW: round(powerW),
      ...this.#counter(),
      voltageV,
      currentA: round(has('over_current') ? currentA + this.#random.between(50, 60) : currentA),
      temperatureC: round(this.#random.between(38, 44) + (has('over_temperature') ? 40 : 0)),
    }
  }

  #counter(): { energyWh?: number } {
    const { energySource, counterQuantumWh = 1 } = this.#plan
    if (energySource !== 'counter') return {}
    return { energyWh: round(Math.floor(this.#energyWh / counterQuantumWh) * counterQuantumWh) }
  }
}

function round(value: number): number {
  return Number(value.toFixed(1))
}
