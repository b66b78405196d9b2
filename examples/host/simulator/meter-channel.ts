import { createLoad, type Load } from './load-curves.js'
import type { SwitchPlan } from './plan.js'
import type { Random } from './random.js'
import type { MeterTrouble } from './troubles.js'

/** W; what is drawn besides. A counter that stands still does so while something is drawn. */
const excessW: Partial<Record<MeterTrouble, number>> = { over_power: 7_500, idle_use: 3_600, meter_stuck: 900 }
const usualV = [226, 236] as const
const strangeV: Partial<Record<MeterTrouble, readonly [number, number]>> = {
  over_voltage: [256, 264],
  under_voltage: [188, 199],
}

/** A load that is measured: its power, and with some meters a counter of its energy. */
export class MeterChannel {
  readonly gpio: number
  readonly #plan: SwitchPlan
  readonly #random: Random
  readonly #load: Load
  /** The meter keeps it over a restart of the device. */
  #energyWh: number
  #readMs = performance.now()
  #trouble: { readonly kind: MeterTrouble; readonly untilMs: number } | undefined

  constructor(plan: SwitchPlan, kind: NonNullable<SwitchPlan['load']>, random: Random) {
    this.gpio = plan.gpio
    this.#plan = plan
    this.#random = random
    this.#load = createLoad(kind, random)
    this.#energyWh = random.between(10_000, 900_000)
  }

  /** From now on something is wrong for a while. */
  disturb(kind: MeterTrouble, forMs: number): void {
    this.#trouble = { kind, untilMs: performance.now() + forMs }
    if (kind === 'meter_backwards') this.#energyWh -= this.#random.between(300, 900)
  }

  /** What a `power` message says of it. */
  read(isOn: boolean): object {
    const nowMs = performance.now()
    const trouble = this.#trouble !== undefined && nowMs < this.#trouble.untilMs ? this.#trouble.kind : undefined
    const powerW = this.#load(isOn, nowMs) + (trouble === undefined ? 0 : (excessW[trouble] ?? 0))
    const countedW = trouble === 'meter_stuck' ? 0 : Math.max(0, powerW)
    this.#energyWh += (countedW * (nowMs - this.#readMs)) / 3_600_000
    this.#readMs = nowMs
    const voltageV = round(this.#random.between(...(trouble === undefined ? usualV : (strangeV[trouble] ?? usualV))))
    const currentA = Math.abs(powerW) / voltageV
    return {
      gpio: this.gpio,
      state: isOn,
      powerW: round(powerW),
      ...this.#counter(),
      voltageV,
      currentA: round(trouble === 'over_current' ? currentA + this.#random.between(50, 60) : currentA),
      temperatureC: round(this.#random.between(38, 44) + (trouble === 'over_temperature' ? 40 : 0)),
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
