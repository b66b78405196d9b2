const MWS_PER_WH = 3_600_000
const MWS_PER_WS = 1_000

/**
 * The energy of a constant power over a duration, in whole milliwatt-seconds (W × ms = mW·s). A negative power gives a
 * negative energy.
 *
 * @throws RangeError if the result is not a safe integer (also for NaN and infinite arguments).
 */
export function mwsFromPower(powerW: number, durationMs: number): number {
  return wholeMws(powerW * durationMs)
}

/**
 * Watt-hours in whole milliwatt-seconds.
 *
 * @throws RangeError if the result is not a safe integer (beyond about ±2.5 GWh, NaN, infinite).
 */
export function mwsFromWh(energyWh: number): number {
  return wholeMws(energyWh * MWS_PER_WH)
}

/** Milliwatt-seconds in watt-seconds, for display: do not add the results up. */
export function wsFromMws(energyMws: number): number {
  return energyMws / MWS_PER_WS
}

/** Milliwatt-seconds in watt-hours, for display: do not add the results up. */
export function whFromMws(energyMws: number): number {
  return energyMws / MWS_PER_WH
}

/** Milliwatt-seconds in kilowatt-hours, for display: do not add the results up. */
export function kwhFromMws(energyMws: number): number {
  return energyMws / (MWS_PER_WH * 1_000)
}

function wholeMws(energyMws: number): number {
  // Adding zero turns the -0 that Math.round gives for small negative values into 0.
  const whole = Math.round(energyMws) + 0
  if (!Number.isSafeInteger(whole)) throw new RangeError(`An energy of ${energyMws} mW·s cannot be kept exactly`)
  return whole
}
