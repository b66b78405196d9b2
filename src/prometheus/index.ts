/**
 * Metrics for Prometheus, by the package prom-client, which the host hands in.
 *
 * @module @autovolt/data/prometheus
 */
export type { WatchedIngestion } from '../operations/metrics/metric.js'
export type { WatchedHandle, WatchedIngestions } from '../operations/metrics/metric-source.js'
export { type PrometheusOptions, registerMetrics } from './register-metrics.js'
