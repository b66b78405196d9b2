import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { timeZone } from '../../devices/time-zone.js'
import { isCurrency } from '../../metering/index.js'
import { type AdoptionMapping, parseMapping } from './mapping/mapping.js'

/** Adoption options: what is adopted, and how. */
export interface AdoptionOptions {
  /**
   * The database of the origin system, on the same server; it may be this one itself, if the handle was opened with
   * `collectionsBesideOrigin`. What the origin has in it is never written to. Of a file of SQLite what the origin is to be called: ids are
   * made with it, so give the same name each time.
   */
  readonly from: string
  /** The path of a file of SQLite, as SolChain writes it: it is adopted instead of a database on the server. Needs `better-sqlite3`, `node-sqlite3-wasm` or Node 22.13. */
  readonly sqlite?: string
  /** The IANA zone that the rooms are in: days in the origin are local midnights of whatever server it was. */
  readonly timeZone: string
  /** The ISO 4217 code of the origin's prices. @default 'INR' */
  readonly currency?: string
  /** The name of the room of what has none: of devices without one, and of systems that have no rooms. @default 'unassigned' */
  readonly site?: string
  /** The name of the market area that the origin's trades are in, which has to be of their own. @default `from` */
  readonly area?: string
  /** What becomes of what, where it is not as in the public versions: an edited `report.mapping`. */
  readonly mapping?: AdoptionMapping
  /** Aborted to stop. What is done stays, and the next run goes on. */
  readonly signal?: AbortSignal
  /** Called now and then with how far it is. */
  readonly onProgress?: (progress: AdoptionProgress) => void
}

export interface AdoptionProgress {
  /** The collection of the origin that is being read. */
  readonly collection: string
  /** Documents of it that were read. */
  readonly done: number
}

/** Follow options: how an adoption is kept up until the cut-over. */
export interface FollowOptions extends Omit<AdoptionOptions, 'sqlite'> {
  /** Aborted to end. */
  readonly signal: AbortSignal
  /** Called each time that both are in step: with how many changes of the origin were taken since, and of how many devices. */
  readonly onStep?: (step: FollowStep) => void
}

export interface FollowStep {
  readonly changes: number
  readonly devices: number
}

const optionsSchema = z.strictObject({
  from: z.string().regex(/^[^/\\. "$*<>:|?]{1,63}$/, { error: 'expected the name of a database' }),
  sqlite: z.string().min(1).max(4096).optional(),
  timeZone: timeZone(),
  currency: z.string().refine(isCurrency, { error: 'expected the code of a currency' }).default('INR'),
  site: z.string().min(1).max(200).default('unassigned'),
  area: z.string().min(1).max(200).optional(),
  mapping: z.custom<AdoptionMapping>((value) => typeof value === 'object' && value !== null).optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z.custom<(progress: AdoptionProgress) => void>((value) => typeof value === 'function').optional(),
})

/** @throws ValidationError. */
export function parseAdoption(options: AdoptionOptions) {
  const { mapping, ...rest } = validateData(optionsSchema, options, 'The options of adoption')
  return mapping === undefined ? rest : { ...rest, mapping: parseMapping(mapping) }
}

export type ParsedAdoption = ReturnType<typeof parseAdoption> & { readonly mapping?: AdoptionMapping }
