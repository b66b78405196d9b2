/** Stretch quality: how the energy of a stretch of time is known. */
export type StretchQuality = 'measured' | 'estimated' | 'missing'

/** A stretch of time and the energy of a channel in it. */
export interface EnergyStretch {
  /** Start, epoch milliseconds, inclusive. */
  fromMs: number
  /** End, epoch milliseconds, exclusive. */
  toMs: number
  /** Energy used, whole milliwatt-seconds, not negative. */
  consumedMws: number
  /** Energy fed back, whole milliwatt-seconds, not negative. */
  producedMws: number
  quality: StretchQuality
}

/** The two energy registers of a channel, whole milliwatt-seconds. */
export interface EnergyRegisters {
  consumedMws: number
  producedMws: number
}

/** The energy of all the stretches together; the same in whatever order they come. */
export function sumStretches(stretches: Iterable<EnergyRegisters>): EnergyRegisters {
  const sum = { consumedMws: 0, producedMws: 0 }
  for (const { consumedMws, producedMws } of stretches) {
    sum.consumedMws += consumedMws
    sum.producedMws += producedMws
  }
  return sum
}

/** The stretch with its registers exchanged: what a production counter counted, as production. */
export function asProduction(stretch: EnergyStretch): EnergyStretch {
  return { ...stretch, consumedMws: stretch.producedMws, producedMws: stretch.consumedMws }
}

/** Whether the stretch takes any time. */
export function hasDuration(stretch: EnergyStretch): boolean {
  return stretch.toMs > stretch.fromMs
}
