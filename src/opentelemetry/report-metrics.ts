import type { Attributes, BatchObservableCallback, Meter, Observable } from '@opentelemetry/api'
import { z } from 'zod'
import { havingFunctions } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'
import type { Metric } from '../operations/metrics/metric.js'
import {
  MetricSource,
  requireWatched,
  type WatchedHandle,
  type WatchedIngestions,
} from '../operations/metrics/metric-source.js'
import { metrics } from '../operations/metrics/metrics.js'
import { failureAttributes, startAttributes } from './call-attributes.js'

/** Meter options: what is watched besides the handle. */
export interface MeterOptions {
  /** Ingestions to watch, by the names that they get as an attribute. @default none */
  readonly ingestions?: WatchedIngestions
}

const meterSchema = havingFunctions<Meter>('a meter of OpenTelemetry', 'createHistogram', 'addBatchObservableCallback')
const optionsSchema = z.strictObject({ ingestions: z.unknown().optional() })

/** The buckets that the semantic conventions advise for `db.client.operation.duration`. */
const boundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** The names that the semantic conventions have for what is not the library's own. */
const names: Readonly<Record<string, string>> = {
  'pool.connections': 'db.client.connection.count',
  'pool.waiting': 'db.client.connection.pending_requests',
}
const attributeNames: Readonly<Record<string, string>> = {
  collection: 'db.collection.name',
  state: 'db.client.connection.state',
}
const pool = { 'db.client.connection.pool.name': 'autovolt' }

/**
 * Reports the metrics of a handle to a meter: durations of calls as `db.client.operation.duration`, the pool by the semantic
 * conventions, the rest under `autovolt.`. They are read when the meter is asked.
 * @returns a function that stops it.
 * @throws ValidationError; DatabaseError `CONFIGURATION` if the handle was not opened with `monitorCommands`.
 * @example
 * import { metrics } from '@opentelemetry/api'
 * reportMetrics(volt, metrics.getMeter('school'))
 */
export function reportMetrics(volt: WatchedHandle, meter: Meter, options: MeterOptions = {}): () => void {
  const { ingestions } = validateData(optionsSchema, options, 'The options')
  const [watched, named] = requireWatched(volt, ingestions)
  const checked = validateData(meterSchema, meter, 'The meter')
  const stopObserving = watched.operations.observeCalls(recordInto(checked))
  const source = new MetricSource(watched, named)
  const instruments = metrics.map((metric) => ({ metric, instrument: instrumentOf(checked, metric) }))
  const callback: BatchObservableCallback = async (result) => {
    const reading = await source.read()
    for (const { metric, instrument } of instruments)
      for (const { labels, value } of metric.samples(reading))
        result.observe(instrument, value, attributesOf(metric, labels))
  }
  const observables = instruments.map(({ instrument }) => instrument)
  checked.addBatchObservableCallback(callback, observables)
  return () => {
    stopObserving()
    checked.removeBatchObservableCallback(callback, observables)
  }
}

function recordInto(meter: Meter): Parameters<WatchedHandle['operations']['observeCalls']>[0] {
  const durations = meter.createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of calls to the database',
    advice: { explicitBucketBoundaries: boundaries },
  })
  return (call) => {
    const attributes = startAttributes(call)
    return ({ durationMs, failure }) =>
      durations.record(
        durationMs / 1000,
        failure === null ? attributes : { ...attributes, ...failureAttributes(failure) },
      )
  }
}

function instrumentOf(meter: Meter, { name, kind, unit, help }: Metric): Observable {
  const options = { unit, description: help }
  const known = names[name]
  if (known !== undefined) return meter.createObservableUpDownCounter(known, options)
  return kind === 'counter'
    ? meter.createObservableCounter(`autovolt.${name}`, options)
    : meter.createObservableGauge(`autovolt.${name}`, options)
}

function attributesOf({ name }: Metric, labels: Readonly<Record<string, string>>): Attributes {
  const attributes = Object.entries(labels).map(([label, value]) => [
    attributeNames[label] ?? `autovolt.${label}`,
    value,
  ])
  return { ...(names[name] === undefined ? {} : pool), ...Object.fromEntries(attributes) }
}
