import type { Metric } from '../operations/metrics/metric.js'

const units: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

export const callMetricName = 'autovolt_call_duration_seconds'

/** The name by Prometheus' conventions: words with underscores, the base unit, and `_total` of counters. */
export function nameOf({ name, unit, kind }: Metric): string {
  return `autovolt_${name.replaceAll('.', '_')}${units[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`
}
