import { expect, it } from 'vitest'
import dashboard from '../../examples/grafana/dashboard.json' with { type: 'json' }
import { metrics } from '../../src/operations/metrics/metrics.js'
import { callMetricName, nameOf } from '../../src/prometheus/names.js'

/** Metrics with their labels; `job` and `instance` are those of the scrape. */
const known = new Map<string, readonly string[]>([
  ...metrics.map((metric) => [nameOf(metric), metric.labels] as const),
  ...['_count', '_sum'].map((part) => [`${callMetricName}${part}`, ['collection', 'command', 'outcome']] as const),
  [`${callMetricName}_bucket`, ['collection', 'command', 'outcome', 'le']],
])
const ofScrape = ['job', 'instance']

const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const targets = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })))

it('the dashboard asks for metrics and labels that there are', () => {
  expect(targets.length).toBeGreaterThan(25)
  for (const { title, expr, legendFormat } of targets) {
    const names = [...expr.matchAll(/\bautovolt_\w+/g)].map(([name]) => name)
    expect(names.length, title).toBeGreaterThan(0)
    const labels = names.flatMap((name) => {
      expect(known.has(name), `${title}: ${name}`).toBe(true)
      return known.get(name) ?? []
    })
    const matched = [...expr.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label)
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
      list.split(',').map((label) => label.trim()),
    )
    const asked = [...matched, ...grouped]
    expect(
      asked.filter((label) => ![...labels, ...ofScrape].includes(label)),
      `${title}: ${expr}`,
    ).toEqual([])
    // What the legend shows has to survive the aggregation.
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)
    expect(
      shown.filter((label) => !grouped.includes(label)),
      `${title}: ${legendFormat}`,
    ).toEqual([])
  }
})

it('the dashboard adds up counters by their rates, and nothing else', () => {
  const counters = metrics.filter(({ kind }) => kind === 'counter').map(nameOf)
  for (const { expr, title } of targets)
    for (const [, before = '', name = ''] of expr.matchAll(/(\w*\(?)(autovolt_\w+)/g)) {
      const grows = counters.includes(name) || name.startsWith(callMetricName)
      expect(/^(rate|increase)\($/.test(before), `${title}: ${expr}`).toBe(grows)
    }
})

it('the dashboard shows every metric but those that others say better', () => {
  const shown = new Set(targets.flatMap(({ expr }) => [...expr.matchAll(/\bautovolt_\w+/g)].map(([name]) => name)))
  const left = metrics.map(nameOf).filter((name) => !shown.has(name))
  expect(left.toSorted()).toEqual([
    'autovolt_anchor_entries',
    'autovolt_collection_data_bytes',
    'autovolt_ingestion_acknowledged_messages_total',
    'autovolt_ingestion_entries_total',
    'autovolt_ingestion_ignored_messages_total',
    'autovolt_ingestion_pending_messages',
    'autovolt_ingestion_repeated_total',
    'autovolt_work_last_success_timestamp_seconds',
  ])
})
