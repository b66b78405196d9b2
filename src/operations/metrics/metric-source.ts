import { z } from 'zod'
import { DatabaseError } from '../../core/errors.js'
import type { Health } from '../../core/health.js'
import { havingFunctions } from '../../core/option-schemas.js'
import { validateData } from '../../core/validate.js'
import type { CallObserver } from '../calls/call-source.js'
import type { LibraryFigures } from './library-figures.js'
import type { MetricReading, WatchedIngestion } from './metric.js'

/** Watched handle: what metrics need of a handle. */
export interface WatchedHandle {
  health(): Promise<Health>
  readonly operations: {
    figures(): Promise<LibraryFigures>
    observeCalls(observer: CallObserver): () => void
  }
}

/** Ingestions by the names that their metrics get as a label. */
export type WatchedIngestions = Readonly<Record<string, WatchedIngestion>>

const handleSchema = havingFunctions<WatchedHandle>('the handle', 'health')
const operationsSchema = havingFunctions<WatchedHandle['operations']>('the handle', 'figures', 'observeCalls')
const ingestionsSchema = z
  .record(
    z.string().regex(/^[\w-]{1,50}$/, { error: 'expected a short name' }),
    havingFunctions<WatchedIngestion>('an ingestion', 'status'),
  )
  .refine((ingestions) => Object.keys(ingestions).length <= 20, { error: 'expected at most 20' })

/** @throws ValidationError. */
export function requireWatched(handle: unknown, ingestions: unknown): [WatchedHandle, WatchedIngestions] {
  const volt = validateData(handleSchema, handle, 'The handle')
  validateData(operationsSchema, volt.operations, 'The handle')
  return [volt, validateData(ingestionsSchema, ingestions ?? {}, 'The ingestions')]
}

/** Reads everything once for all metrics that are asked for at the same time. */
export class MetricSource {
  readonly #volt: WatchedHandle
  readonly #ingestions: WatchedIngestions
  #pending: Promise<MetricReading> | undefined

  constructor(volt: WatchedHandle, ingestions: WatchedIngestions) {
    this.#volt = volt
    this.#ingestions = ingestions
  }

  read(): Promise<MetricReading> {
    this.#pending ??= this.#read().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #read(): Promise<MetricReading> {
    const health = await this.#volt.health()
    const ingestions = Object.entries(this.#ingestions).map(([name, ingestion]) => [name, ingestion.status()] as const)
    return {
      health,
      figures: health.status === 'down' ? null : await this.#figures(),
      ingestions: Object.fromEntries(ingestions),
    }
  }

  /** The database may go away between two looks. */
  async #figures(): Promise<LibraryFigures | null> {
    try {
      return await this.#volt.operations.figures()
    } catch (error) {
      if (error instanceof DatabaseError) return null
      throw error
    }
  }
}
