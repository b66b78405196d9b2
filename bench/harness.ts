import { cpus, totalmem } from 'node:os'

export interface Spread {
  readonly lowest: number
  readonly highest: number
}

/** What several rounds of ours and of the baseline came to, by their medians. */
export interface Measured {
  readonly value: number
  readonly baseline: number
  readonly ratio: number
  readonly valueSpread: Spread
  readonly ratioSpread: Spread
}

/** One measured figure, with the bar that it has to meet. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same thing done with the plain driver, alternated with ours; null where there is nothing to compare with. */
  readonly baseline: number | null
  /** Value by baseline. */
  readonly ratio: number | null
  /** The lowest and highest round, of what the bar is held against; null where there was one round. */
  readonly spread: Spread | null
  readonly atLeast?: number
  readonly atMost?: number
  /** What the bar is held against. */
  readonly judged: 'value' | 'ratio'
  readonly met: boolean
}

export interface GroupContext {
  /** How many documents a group works on. */
  readonly documents: number
  readonly rounds: number
  /** Tells what is going on, on the error stream. */
  readonly say: (text: string) => void
}

export type Group = (context: GroupContext) => Promise<Row[]>

type Bar = { readonly atLeast: number } | { readonly atMost: number }

/** Measures ours and the baseline in turn, so that both see the same machine, and takes the medians. */
export async function alternate(
  rounds: number,
  ours: (round: number) => Promise<number>,
  baseline: (round: number) => Promise<number>,
): Promise<Measured> {
  const values: number[] = []
  const baselines: number[] = []
  const ratios: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    // The one that goes second finds warmer caches: they take turns in that too.
    const first = round % 2 === 0 ? ours : baseline
    const second = round % 2 === 0 ? baseline : ours
    const a = await first(round)
    const b = await second(round)
    const [value, base] = round % 2 === 0 ? [a, b] : [b, a]
    values.push(value)
    baselines.push(base)
    ratios.push(value / base)
  }
  return {
    value: median(values),
    baseline: median(baselines),
    ratio: median(ratios),
    valueSpread: spreadOf(values),
    ratioSpread: spreadOf(ratios),
  }
}

export function spreadOf(rounds: readonly number[]): Spread {
  return { lowest: Math.min(...rounds), highest: Math.max(...rounds) }
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper
}

/** A row whose own value is held against the bar. */
export function valueRow(
  name: string,
  unit: string,
  measured: { value: number; baseline?: number; ratio?: number; valueSpread?: Spread },
  bar: Bar,
): Row {
  return {
    name,
    unit,
    value: measured.value,
    baseline: measured.baseline ?? null,
    ratio: measured.ratio ?? null,
    spread: measured.valueSpread ?? null,
    ...bar,
    judged: 'value',
    met: isMet(measured.value, bar),
  }
}

/** A row whose ratio to its baseline is held against the bar. */
export function ratioRow(
  name: string,
  unit: string,
  { value, baseline, ratio, ratioSpread: spread }: Measured,
  bar: Bar,
): Row {
  return { name, unit, value, baseline, ratio, spread, ...bar, judged: 'ratio', met: isMet(ratio, bar) }
}

function isMet(value: number, bar: Bar): boolean {
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
}

/** Seconds that the work takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (performance.now() - startedMs) / 1000
}

export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`
}

/** The rows as a table for people. */
export function table(rows: readonly Row[]): string {
  const header = ['figure', 'value', 'unit', 'baseline', 'ratio', 'rounds', 'bar', 'met']
  const lines = rows.map((row) => [
    row.name,
    show(row.value),
    row.unit,
    row.baseline === null ? '' : show(row.baseline),
    row.ratio === null ? '' : row.ratio.toFixed(2),
    row.spread === null ? '' : `${show(row.spread.lowest)} to ${show(row.spread.highest)}`,
    `${row.judged === 'ratio' ? 'ratio ' : ''}${row.atLeast === undefined ? `≤ ${row.atMost}` : `≥ ${row.atLeast}`}`,
    row.met ? 'yes' : 'NO',
  ])
  const widths = header.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)))
  return [header, ...lines]
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
