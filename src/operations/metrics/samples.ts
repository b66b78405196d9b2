import type { Metric, Sample } from './metric.js'

const longestLabel = 100

export const gauge = (
  name: string,
  unit: Metric['unit'],
  help: string,
  labels: readonly string[],
  samples: Metric['samples'],
): Metric => ({ name, kind: 'gauge', unit, help, labels, samples })

export const counter = (...of: Parameters<typeof gauge>): Metric => ({ ...gauge(...of), kind: 'counter' })

export const sample = (value: number, labels: Sample['labels'] = {}): Sample => ({
  value,
  labels: Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, text.slice(0, longestLabel)])),
})

/** None where there is no value. */
export const known = (value: number | null | undefined, labels: Sample['labels'] = {}): Sample[] =>
  value === null || value === undefined ? [] : [sample(value, labels)]

export const seconds = (at: Date | null | undefined) => (at === null || at === undefined ? null : at.getTime() / 1000)
