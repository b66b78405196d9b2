import type { EnergyMeasurement, Implausibility } from './measurement.js'

/**
 * What is stored of a measurement that was refused: that there was one, without its values. What was refused may become
 * missing, never energy, so the power before it must not hold on. It is of the instant of its arrival where its own time is
 * not credible.
 */
export function refusedMeasurement(
  measurement: EnergyMeasurement,
  implausible: readonly Implausibility[],
  nowMs: number,
): EnergyMeasurement {
  const { _id, timestamp, meta, data_type, received_at, boot, sequence_no, source } = measurement
  const arrivalMs = Math.min(received_at?.getTime() ?? nowMs, nowMs)
  return {
    _id,
    timestamp: implausible.includes('time_in_the_future') ? new Date(arrivalMs) : timestamp,
    meta,
    data_type,
    quality: 'refused',
    ...(implausible.length > 0 && { implausible: [...implausible] }),
    received_at,
    boot,
    sequence_no,
    source,
  }
}
