import { z } from 'zod'
import { configured } from '../core/validate.js'
import type { Priority } from './severity.js'

export interface IncidentOptions {
  /** How cases are handled. */
  readonly incidents?: {
    /** Working minutes after which a case is due, by its priority. @default urgent 240, high 480, medium 1 440, low 4 800 */
    readonly dueAfterMinutes?: Partial<Record<Priority, number>>
  }
}

export interface IncidentLimits {
  readonly dueAfterMinutes: Readonly<Record<Priority, number>>
}

const minutes = (usual: number) => z.int().min(1).max(500_000).default(usual)
const optionsSchema = z.strictObject({
  dueAfterMinutes: z
    .strictObject({ low: minutes(4_800), medium: minutes(1_440), high: minutes(480), urgent: minutes(240) })
    .prefault({}),
})

/** @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function incidentLimitsOf({ incidents = {} }: IncidentOptions): IncidentLimits {
  return configured(optionsSchema, incidents, 'incidents')
}
