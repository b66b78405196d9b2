import { createLoad, type Load } from './load-curves.js'
import type { SwitchPlan } from './plan.js'
import type { Random } from './random.js'

/** A load that is measured: its power, and with some meters a counter of its energy. */
export class MeterChannel {
  readonly gpio: number
  readonly #plan: SwitchPlan
  readonly #random: Random
  readonly #load: Load
  /** The meter keeps it over a restart of the device. */
  #energyWh: number
  #readMs = performance.now()

  constructor(plan: SwitchPlan, kind: NonNullable<SwitchPlan['load']>, random: Random) {
    this.gpio = plan.gpio
    this.#plan = plan
    this.#random = random
    this.#load = createLoad(kind, random)
    this.#energyWh = random.between(10_000, 900_000)
  }

  /** What a `power` message says of it. */
  read(isOn: boolean): object {
    const nowMs = performance.now()
    const powerW = this.#load(isOn, nowMs)
    this.#energyWh += (Math.max(0, powerW) * (nowMs - this.#readMs)) / 3_600_000
    this.#readMs = nowMs
    const voltageV = round(this.#random.between(226, 236))
    return {
      gpio: this.gpio,
      state: isOn,
      powerW: round(powerW),
      ...this.#counter(),
      voltageV,
      currentA: round(Math.abs(powerW) / voltageV),
      temperatureC: round(this.#random.between(38, 44)),
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
