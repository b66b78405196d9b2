import type { AutoVolt } from '@autovolt/data'

export interface PowerSample {
  /** Epoch milliseconds. */
  readonly at: number
  /** W by classroom; negative where more is produced than used. */
  readonly watts: Readonly<Record<string, number>>
}

const keptSamples = 450

/** What the classrooms drew in the last fifteen minutes, for those who come later. */
export class PowerHistory {
  readonly #volt: AutoVolt
  readonly #samples: PowerSample[] = []

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  get samples(): readonly PowerSample[] {
    return this.#samples
  }

  async sample(): Promise<PowerSample> {
    const powers = await this.#volt.energy.livePower()
    const watts = Object.fromEntries(
      powers.map(({ classroom, powerW }) => [classroom.toHexString(), Math.round(powerW)]),
    )
    const sample = { at: Date.now(), watts }
    this.#samples.push(sample)
    if (this.#samples.length > keptSamples) this.#samples.shift()
    return sample
  }
}
