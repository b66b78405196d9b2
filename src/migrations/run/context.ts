import { BSON, type Document } from 'mongodb'
import type { Model } from 'mongoose'
import type { Database } from '../../core/database.js'
import type { EntityDescription } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import type { MigrationContext } from '../migration.js'
import type { WriteGuard } from './fence.js'
import { guardedDb } from './guarded-db.js'

/** Entities by what the handle calls them: their models are the migrations' to use. */
export type EntitiesByKey = Readonly<Record<string, EntityDescription>>

export interface ContextParts {
  readonly id: string
  readonly database: Database
  readonly fence: WriteGuard
  readonly entities: EntitiesByKey
  readonly signal: AbortSignal
  readonly progress: (done: number, total?: number) => void
  /** What the steps of `up` have kept. */
  readonly kept?: readonly unknown[] | undefined
}

/** Step context: what the functions of a migration are given, and what they keep by it. */
export class StepContext {
  readonly given: MigrationContext
  readonly #notes: string[] = []
  #kept: unknown

  constructor({ id, database, fence, entities, signal, progress, kept = [] }: ContextParts) {
    this.given = {
      id,
      db: guardedDb(database, fence),
      models: modelsOf(database, entities),
      get session() {
        return database.transactions.session
      },
      transaction: (work) => fence.transaction(work),
      logger: database.logger,
      signal,
      progress,
      keep: (value) => {
        this.#kept = keepable(id, value)
      },
      kept,
      note: (text) => this.#note(text),
    }
  }

  get kept(): unknown {
    return this.#kept
  }

  get notes(): readonly string[] {
    return this.#notes
  }

  /** A step that begins again says again what is to be known. */
  restart(): void {
    this.#notes.length = 0
  }

  #note(text: string): void {
    if (text.length > 0 && this.#notes.length < maximumNotes) this.#notes.push(text.slice(0, maximumNoteLength))
  }
}

const maximumNotes = 100
const maximumNoteLength = 1_000

/** Each model is compiled when it is first asked for. */
function modelsOf(database: Database, entities: EntitiesByKey): Readonly<Record<string, Model<Document>>> {
  const models: Record<string, Model<Document>> = {}
  for (const [key, entity] of Object.entries(entities)) {
    Object.defineProperty(models, key, { enumerable: true, get: () => database.models.of(entity) })
  }
  return models
}

const maximumKeptBytes = 100_000

function keepable(id: string, value: unknown): unknown {
  const size = value === undefined ? Number.POSITIVE_INFINITY : sizeOf(value)
  if (size <= maximumKeptBytes) return value
  throw new DatabaseError(
    'CONFIGURATION',
    `${id} can keep a BSON value of at most ${maximumKeptBytes} bytes: keep ids or counts, and write the rest to a collection of its own`,
  )
}

function sizeOf(value: unknown): number {
  try {
    return BSON.calculateObjectSize({ value }, { serializeFunctions: true })
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
