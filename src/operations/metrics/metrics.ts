import { ingestionMetrics } from './ingestion-metrics.js'
import { libraryMetrics } from './library-metrics.js'
import type { Metric } from './metric.js'

/** All metrics that are read; the durations of calls are recorded as they end. */
export const metrics: readonly Metric[] = [...libraryMetrics, ...ingestionMetrics]
