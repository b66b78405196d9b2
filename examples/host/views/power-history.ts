import { type AutoVolt, where } from '@autovolt/data'
import { roomNames } from '../simulator/school-plan.js'

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
    const rooms = await this.#volt.classrooms.find({ name: where.in(roomNames) }, { select: ['name'] })
    const powers = await this.#volt.energy.livePower()
    const ofSchool = powers.filter(({ classroom }) => rooms.some(({ _id }) => _id.equals(classroom)))
    const watts = Object.fromEntries(
      ofSchool.map(({ classroom, powerW }) => [classroom.toHexString(), Math.round(powerW)]),
    )
    const sample = { at: Date.now(), watts }
    this.#samples.push(sample)
    if (this.#samples.length > keptSamples) this.#samples.shift()
    return sample
  }
}
