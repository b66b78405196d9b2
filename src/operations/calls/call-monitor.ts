import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { CallObserver } from './call-source.js'

/** Call figures: how one command on one collection has done. */
export interface CallFigures {
  readonly collection: string
  /** What MongoDB calls it, such as `find`. */
  readonly command: string
  readonly count: number
  readonly failures: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maximumMs: number
}

/** Slow call: one of the slowest, without a value. */
export interface SlowCall {
  readonly at: Date
  readonly collection: string
  readonly shape: string
  readonly durationMs: number
}

export interface CallReport {
  readonly since: Date
  readonly figures: readonly CallFigures[]
  /** The slowest hundred. */
  readonly slowest: readonly SlowCall[]
}

interface Kind {
  readonly collection: string
  readonly command: string
  readonly histogram: RecordableHistogram
  failures: number
}

const keptSlowest = 100

/** Measures calls. Of a command only its shape is kept. */
export class CallMonitor {
  readonly #kinds = new Map<string, Kind>()
  #slowest: SlowCall[] = []
  #since = new Date()

  readonly observe: CallObserver = ({ collection, command, shape }) => {
    const kind = this.#kindOf(collection, command)
    const shown = shape()
    return ({ durationMs, failure }) => {
      // A histogram takes whole numbers from one on: microseconds.
      kind.histogram.record(Math.max(1, Math.round(durationMs * 1000)))
      if (failure !== null) kind.failures += 1
      this.#keep({ collection, shape: shown, at: new Date(), durationMs })
    }
  }

  report(): CallReport {
    const figures = [...this.#kinds.values()].map(figuresOf)
    return {
      since: this.#since,
      figures: figures.toSorted((a, b) => b.count * b.meanMs - a.count * a.meanMs),
      slowest: this.#slowest.toSorted((a, b) => b.durationMs - a.durationMs),
    }
  }

  /** Begins anew. */
  reset(): void {
    this.#kinds.clear()
    this.#slowest = []
    this.#since = new Date()
  }

  #keep(call: SlowCall): void {
    const fastest = this.#slowest.at(-1)
    if (this.#slowest.length >= keptSlowest && fastest !== undefined && fastest.durationMs >= call.durationMs) return
    const at = this.#slowest.findIndex(({ durationMs }) => durationMs < call.durationMs)
    this.#slowest.splice(at === -1 ? this.#slowest.length : at, 0, call)
    this.#slowest.length = Math.min(this.#slowest.length, keptSlowest)
  }

  #kindOf(collection: string, command: string): Kind {
    const name = `${command} ${collection}`
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const kind: Kind = { collection, command, histogram: createHistogram(), failures: 0 }
    this.#kinds.set(name, kind)
    return kind
  }
}

function figuresOf({ collection, command, histogram, failures }: Kind): CallFigures {
  const ms = (microseconds: number) => Math.round(microseconds) / 1000
  return {
    collection,
    command,
    count: histogram.count,
    failures,
    meanMs: ms(histogram.mean),
    p50Ms: ms(histogram.percentile(50)),
    p95Ms: ms(histogram.percentile(95)),
    p99Ms: ms(histogram.percentile(99)),
    maximumMs: ms(histogram.max),
  }
}
