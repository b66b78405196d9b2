/**
 * Spans and metrics for OpenTelemetry, by a tracer and a meter, which the host hands in.
 *
 * @module @autovolt/data/opentelemetry
 */
export type { WatchedIngestion } from '../operations/metrics/metric.js'
export type { WatchedHandle, WatchedIngestions } from '../operations/metrics/metric-source.js'
export { type MeterOptions, reportMetrics } from './report-metrics.js'
export { traceCalls } from './trace-calls.js'
