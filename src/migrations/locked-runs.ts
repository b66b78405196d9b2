import type { Database } from '../core/database.js'
import type { EntityDescription } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import type { Lease } from '../core/lease.js'
import { SetupBlockedError } from '../core/setup/obstacle.js'
import { setUpCollections } from '../core/setup/set-up.js'
import { adoptLog } from './commands/adopt-log.js'
import type { MigrationLog } from './log/migration-log.js'
import { holderOf, runOf } from './log/run-identity.js'
import type { MigrationReader, MigrationView } from './migration-view.js'
import type { ParsedLocked } from './options.js'
import type { EntitiesByKey } from './run/context.js'
import { Fence } from './run/fence.js'
import { withLock } from './run/lock.js'
import { MigrationError } from './run/migration-error.js'
import type { RunEvent, RunParts } from './run/run-parts.js'

export interface LockedRunParts {
  readonly database: Database
  readonly log: MigrationLog
  readonly reader: MigrationReader
  /** The collections that the runner itself writes to. */
  readonly ownEntities: readonly EntityDescription[]
  /** Those whose models migrations get. */
  readonly entities: EntitiesByKey
  readonly actor: string | undefined
  readonly lockDurationMs: number
}

/** Held: what is done under the lock. */
export interface Held extends MigrationView {
  readonly parts: RunParts
  /** What was adopted from the logs of earlier tools at the beginning. */
  readonly adopted: readonly string[]
}

/** Does what one process at a time may do, after it has brought its own collections about. */
export class LockedRuns {
  readonly #parts: LockedRunParts
  #isSetUp = false

  constructor(parts: LockedRunParts) {
    this.#parts = parts
  }

  /**
   * @throws MigrationError `MIGRATION_LOCKED`, `LEASE_LOST` if the lock was lost meanwhile, `NOT_AUTHORIZED`; DatabaseError
   * `REPLICA_SET_REQUIRED`.
   */
  async run<Result>(options: ParsedLocked, work: (held: Held) => Promise<Result>): Promise<Result> {
    const { database, actor, lockDurationMs } = this.#parts
    await this.#prepare()
    const lock = { durationMs: lockDurationMs, waitMs: options.waitMs, holder: holderOf(actor) }
    try {
      return await withLock(database, lock, async (lease, signal) => work(await this.#held(lease, signal, options)))
    } catch (error) {
      throw isLost(error) ? lostError(error) : error
    }
  }

  async #prepare(): Promise<void> {
    const { database, ownEntities } = this.#parts
    if (database.transactions.session !== undefined) {
      throw new DatabaseError('TRANSACTION', 'Migrations have transactions of their own: run them outside of any')
    }
    await database.requireReplicaSet('Migrations')
    if (this.#isSetUp) return
    try {
      await setUpCollections(database, ownEntities, false)
    } catch (error) {
      throw withHint(error, ownEntities)
    }
    this.#isSetUp = true
  }

  async #held(lease: Lease, lost: AbortSignal, { signal, onEvent }: ParsedLocked): Promise<Held> {
    const { database, log, reader, entities, actor } = this.#parts
    const fence = new Fence(database, lease)
    const parts: RunParts = {
      database,
      log,
      fence,
      entities,
      run: runOf(actor, fence.number),
      signal: signal === undefined ? lost : AbortSignal.any([lost, signal]),
      report: (event) => this.#report(onEvent, event),
    }
    const view = await reader.read(true)
    const adopted = await adoptLog(parts, view.migrations, view.earlier)
    return { ...view, parts, adopted }
  }

  /** A listener's own mistake is not to break off a migration. */
  #report(onEvent: ParsedLocked['onEvent'], event: RunEvent): void {
    try {
      onEvent?.(event)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#parts.database.logger.error({ reason }, 'a listener of migrations failed')
    }
  }
}

function isAboutRights(error: unknown): error is DatabaseError {
  if (error instanceof SetupBlockedError) return error.obstacles.every(({ kind }) => kind === 'privilege')
  return error instanceof DatabaseError && error.code === 'NOT_AUTHORIZED'
}

function isLost(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.code === 'LEASE_LOST'
}

function lostError(error: DatabaseError): MigrationError {
  const next = 'another process goes on where this one was; see how far it is with status, and run migrations again'
  return new MigrationError('LEASE_LOST', `${error.message}. Next: ${next}`, [], error)
}

function withHint(error: unknown, entities: readonly EntityDescription[]): unknown {
  if (!isAboutRights(error)) return error
  const names = entities.map(({ collection }) => collection).join(', ')
  const next = `give the role readWrite on the database, and dbAdmin where the collections ${names} are there without their validators`
  return new MigrationError('NOT_AUTHORIZED', `${error.message}. Next: ${next}`, [], error)
}
