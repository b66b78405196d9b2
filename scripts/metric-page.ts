import { readFileSync } from 'node:fs'
import { metrics } from '../src/operations/metrics/metrics.js'
import { nameOf } from '../src/prometheus/names.js'

/** The page of metrics. */
export const metricPageFile = new URL('../docs/metrics.md', import.meta.url)

const begin = 'The others are read when somebody asks:\n'
const end = '## OpenTelemetry\n'

/** The text of the page as it stands there, with the table of metrics made anew. */
export function metricPage(): string {
  const text = readFileSync(metricPageFile, 'utf8')
  const [before = ''] = text.split(begin)
  const [, after = ''] = text.split(end)
  const rows = metrics.map((metric) => [
    `\`${nameOf(metric)}\``,
    metric.kind,
    metric.labels.map((label) => `\`${label}\``).join(', '),
    metric.help,
  ])
  const all = [['metric', 'kind', 'labels', 'what it is'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  const [head = [], ...others] = all
  const table = [line(head), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n')
  return `${before}${begin}\n${table}\n\n${end}${after}`
}
