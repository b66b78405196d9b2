import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { z } from 'zod'
import { DatabaseError } from '../core/errors.js'
import { havingFunctions } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'
import type { CallObserver } from '../operations/calls/call-source.js'
import type { Metric, Sample } from '../operations/metrics/metric.js'
import {
  MetricSource,
  requireWatched,
  type WatchedHandle,
  type WatchedIngestions,
} from '../operations/metrics/metric-source.js'
import { metrics } from '../operations/metrics/metrics.js'
import { callMetricName, nameOf } from './names.js'

/** Prometheus options: where metrics go. */
export interface PrometheusOptions {
  /** The host's prom-client: `import * as client from 'prom-client'`. The library does not import it. */
  readonly client: Pick<typeof import('prom-client'), 'Counter' | 'Gauge' | 'Histogram'>
  /** The registry that the metrics are registered with; one for each handle, or the names collide. */
  readonly registry: Registry
  /** Ingestions to watch, by the names that they get in the label `ingestion`. @default none */
  readonly ingestions?: WatchedIngestions
}

const optionsSchema = z.strictObject({
  client: havingFunctions<PrometheusOptions['client']>('the module prom-client', 'Counter', 'Gauge', 'Histogram'),
  registry: havingFunctions<Registry>('a registry of prom-client', 'registerMetric', 'getSingleMetric'),
  ingestions: z.unknown().optional(),
})

/** From a lookup by `_id` to what somebody waits for. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Registers the metrics of a handle with a registry of prom-client. Gauges and counters are read when the registry is asked, all
 * at once; durations of calls are recorded as they end. Labels are names of collections, commands, works, anchors and ingestions:
 * never an id or a value.
 * @returns a function that takes them from the registry again.
 * @throws ValidationError; DatabaseError `CONFIGURATION` if the handle was not opened with `monitorCommands`, or the registry has
 * metrics of these names.
 * @example
 * import * as client from 'prom-client'
 * const registry = new client.Registry()
 * registerMetrics(volt, { client, registry })
 * const text = await registry.metrics()
 */
export function registerMetrics(volt: WatchedHandle, options: PrometheusOptions): () => void {
  const { client, registry, ingestions } = validateData(optionsSchema, options, 'The options')
  const [watched, named] = requireWatched(volt, ingestions)
  const taken = [callMetricName, ...metrics.map(nameOf)].find((name) => registry.getSingleMetric(name) !== undefined)
  if (taken !== undefined)
    throw new DatabaseError(
      'CONFIGURATION',
      `The registry has a metric ${taken} already: give each handle a registry of its own, and merge them`,
    )
  const durations = new client.Histogram({
    name: callMetricName,
    help: 'Durations of calls to the database, by collection and command',
    labelNames: ['collection', 'command', 'outcome'],
    buckets,
    registers: [],
  })
  const stopObserving = watched.operations.observeCalls(recordInto(durations))
  registry.registerMetric(durations)
  const source = new MetricSource(watched, named)
  for (const metric of metrics) registry.registerMetric(readMetric(client, metric, source))
  return () => {
    stopObserving()
    for (const name of [callMetricName, ...metrics.map(nameOf)]) registry.removeSingleMetric(name)
  }
}

function recordInto(durations: Histogram<'collection' | 'command' | 'outcome'>): CallObserver {
  const children = new Map<string, ReturnType<typeof durations.labels>>()
  return ({ collection, command }) =>
    ({ durationMs, failure }) => {
      const outcome = failure === null ? 'ok' : 'error'
      const key = `${command} ${outcome} ${collection}`
      const child = children.get(key) ?? durations.labels({ collection, command, outcome })
      children.set(key, child)
      child.observe(durationMs / 1000)
    }
}

/** A metric whose values are read whenever the registry is asked. */
function readMetric(
  { Counter, Gauge }: PrometheusOptions['client'],
  metric: Metric,
  source: MetricSource,
): Counter | Gauge {
  const common = { name: nameOf(metric), help: metric.help, labelNames: [...metric.labels], registers: [] }
  const samples = async () => metric.samples(await source.read())
  return metric.kind === 'counter'
    ? new Counter({
        ...common,
        async collect() {
          const read = await samples()
          this.reset()
          for (const { labels, value } of read) this.inc(labels, value)
          removeDefault(this, metric, read)
        },
      })
    : new Gauge({
        ...common,
        async collect() {
          const read = await samples()
          this.reset()
          for (const { labels, value } of read) this.set(labels, value)
          removeDefault(this, metric, read)
        },
      })
}

/** Without labels, prom-client shows a zero where nothing is known. */
function removeDefault(of: Counter | Gauge, { labels }: Metric, read: readonly Sample[]): void {
  if (labels.length === 0 && read.length === 0) of.remove()
}
