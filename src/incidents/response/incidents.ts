import { z } from 'zod'
import type { Database } from '../../core/database.js'
import { everyMs } from '../../core/option-schemas.js'
import { validateData } from '../../core/validate.js'
import { rankOf, severities } from '../severity.js'
import type { Correlator } from './correlator.js'
import type { Escalator } from './escalator.js'

const runSchema = z.strictObject({
  /** Alerts of a site join the case of an alert before, if they are no further apart than this. @default 300 000 */
  windowMs: z.int().min(0).max(86_400_000).default(300_000),
  /** Of which severity on alerts are put to cases. @default 'medium' */
  minimumSeverity: z.enum(severities).default('medium'),
})
export type IncidentRunOptions = z.input<typeof runSchema>

const startSchema = runSchema.extend({
  /** How long it rests between two runs. @default 5 000 */
  everyMs: everyMs().default(5_000),
})
export type IncidentStartOptions = z.input<typeof startSchema>

/** What a run has done. */
export interface IncidentRun {
  /** Alerts that were put to cases. */
  readonly correlated: number
  /** Notifications for users. */
  readonly notified: number
}

/** What is done about alerts: cases for them, and people who are notified. */
export class Incidents {
  readonly #database: Database
  readonly #correlator: Correlator
  readonly #escalator: Escalator

  constructor(database: Database, correlator: Correlator, escalator: Escalator) {
    this.#database = database
    this.#correlator = correlator
    this.#escalator = escalator
  }

  /** Puts alerts to cases, and notifies people by the escalations. Any number of processes may do it at once. @throws ValidationError. */
  async run(options: IncidentRunOptions = {}): Promise<IncidentRun> {
    return this.#run(validateData(runSchema, options, 'The options'), this.#database.closing)
  }

  /** Calls {@link run} again and again, until the function that is given back is called or the handle is closed. @throws ValidationError. */
  start(options: IncidentStartOptions = {}): () => Promise<void> {
    const { everyMs: rest, ...parsed } = validateData(startSchema, options, 'The options')
    const work = (signal: AbortSignal) => this.#run(parsed, signal)
    return this.#database.periodic.start({ name: 'incidents', everyMs: rest, work })
  }

  async #run({ windowMs, minimumSeverity }: z.output<typeof runSchema>, signal: AbortSignal): Promise<IncidentRun> {
    const minimumRank = rankOf(severities, minimumSeverity)
    const correlated = await this.#correlator.run({ windowMs, minimumRank }, signal)
    return { correlated, notified: await this.#escalator.run(signal) }
  }
}
