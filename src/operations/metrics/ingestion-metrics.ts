import type { Metric, MetricReading } from './metric.js'
import { counter, gauge, sample } from './samples.js'

type Status = MetricReading['ingestions'][string]

const ofIngestions =
  (value: (status: Status) => number): Metric['samples'] =>
  ({ ingestions }) =>
    Object.entries(ingestions).map(([ingestion, status]) => sample(value(status), { ingestion }))

const ofBudgets =
  (value: (budget: Status['budgets'][string]) => number): Metric['samples'] =>
  ({ ingestions }) =>
    Object.entries(ingestions).flatMap(([ingestion, { budgets }]) =>
      Object.entries(budgets).map(([budget, one]) => sample(value(one), { ingestion, budget })),
    )

const ofIngestion = ['ingestion']

/** Of the ingestions that the host hands in. */
export const ingestionMetrics: readonly Metric[] = [
  gauge(
    'ingestion.connected',
    '1',
    'Whether a session with the broker is connected',
    ['ingestion', 'session'],
    ({ ingestions }) =>
      Object.entries(ingestions).flatMap(([ingestion, { sessions }]) =>
        Object.entries(sessions)
          .filter(([, state]) => state !== 'none')
          .map(([session, state]) => sample(state === 'connected' ? 1 : 0, { ingestion, session })),
      ),
  ),
  counter(
    'ingestion.received_messages',
    '{message}',
    'Messages that came from the broker',
    ofIngestion,
    ofIngestions(({ received }) => received),
  ),
  counter(
    'ingestion.processed_messages',
    '{message}',
    'Messages that are durable',
    ofIngestion,
    ofIngestions(({ processed }) => processed),
  ),
  counter(
    'ingestion.acknowledged_messages',
    '{message}',
    'Messages that the broker may forget',
    ofIngestion,
    ofIngestions(({ acknowledged }) => acknowledged),
  ),
  counter(
    'ingestion.repeated',
    '{message}',
    'Messages and events that were known already',
    ofIngestion,
    ofIngestions(({ repeated }) => repeated),
  ),
  counter(
    'ingestion.quarantined_messages',
    '{message}',
    'Messages that could not be used',
    ofIngestion,
    ofIngestions(({ quarantined }) => quarantined),
  ),
  counter(
    'ingestion.ignored_messages',
    '{message}',
    'Messages that no decoder has',
    ofIngestion,
    ofIngestions(({ ignored }) => ignored),
  ),
  counter(
    'ingestion.entries',
    '{entry}',
    'Entries that ingestion has added to the ledger',
    ofIngestion,
    ofIngestions(({ entries }) => entries),
  ),
  counter(
    'ingestion.retries',
    '{batch}',
    'Batches that had to be tried again',
    ofIngestion,
    ofIngestions(({ retries }) => retries),
  ),
  gauge(
    'ingestion.pending_messages',
    '{message}',
    'Messages that are taken and not durable yet',
    ofIngestion,
    ofIngestions(({ pending }) => pending),
  ),
  gauge(
    'ingestion.lag',
    's',
    'How long the oldest pending message has been waiting',
    ofIngestion,
    ofIngestions(({ lagMs }) => lagMs / 1000),
  ),
  gauge(
    'ingestion.budget',
    'By',
    'What messages fill of what they may fill',
    ['ingestion', 'budget'],
    ofBudgets(({ bytes }) => bytes),
  ),
  gauge(
    'ingestion.budget_limit',
    'By',
    'What messages may fill',
    ['ingestion', 'budget'],
    ofBudgets(({ maximumBytes }) => maximumBytes),
  ),
]
