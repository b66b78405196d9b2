import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { ConflictError, DatabaseError } from '../../core/errors.js'
import { type Admin, numberOf } from '../admin.js'
import type { ProfilerSettings } from './profiler-settings.js'

/** How long after its time the settings of a process that is gone are put back. */
const graceMs = 5_000
const profilesAll = 2

export interface ProfileOptions {
  /** Operations that take longer are recorded. */
  readonly overMs: number
  readonly forMs: number
  /** Ends it earlier. */
  readonly signal?: AbortSignal
}

/**
 * The server's profiler, for a bounded time. What it was set to is written down before it is changed, and put back at the
 * end: by this process, or if it is gone by the next one that looks. `slowms` and `sampleRate` belong to the whole server
 * process, not to the database (measured on 6.0), so all of its databases have them meanwhile.
 */
export class Profiler {
  readonly #admin: Admin
  readonly #settings: EntityCollection<ProfilerSettings>

  constructor(admin: Admin, settings: EntityCollection<ProfilerSettings>) {
    this.#admin = admin
    this.#settings = settings
  }

  /**
   * Has slow operations recorded in `system.profile` for a time. Where everything is profiled already nothing is changed.
   * @throws DatabaseError `CONFIGURATION` if somebody profiles already, `NOT_AUTHORIZED` without the right to
   * `enableProfiler`.
   */
  async record({ overMs, forMs, signal }: ProfileOptions): Promise<void> {
    await this.restoreExpired()
    const former = await this.#admin.run({ profile: -1 })
    const stop = AbortSignal.any([this.#admin.database.closing, ...(signal === undefined ? [] : [signal])])
    const rest = () => sleep(forMs, undefined, { signal: stop, ref: false }).catch(() => undefined)
    if (numberOf(former.was) === profilesAll) {
      await rest()
      return
    }
    const expiresAt = new Date(this.#now().getTime() + forMs + graceMs)
    await this.#claim(former, expiresAt)
    try {
      // A filter would be asked in place of the threshold.
      const filter = former.filter === undefined ? {} : { filter: 'unset' }
      await this.#admin.run({ profile: 1, slowms: overMs, sampleRate: 1, ...filter })
      await rest()
    } finally {
      await this.#putBack(former)
    }
  }

  /** Puts back what a process that is gone has left. @returns whether there was something. */
  async restoreExpired(): Promise<boolean> {
    const left = await this.#settings
      .for('restoreProfiler')
      .findOne({ name: 'profiler', expiresAt: { $lt: this.#now() } })
    if (left === null) return false
    await this.#putBack(left.former)
    return true
  }

  async #claim(former: Document, expiresAt: Date): Promise<void> {
    const { was, slowms, sampleRate, filter } = former
    const kept = { was, slowms, sampleRate, ...(filter === undefined ? {} : { filter }) }
    try {
      await this.#settings.for('profile').insertOne({ name: 'profiler', former: kept, expiresAt })
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      throw new DatabaseError(
        'CONFIGURATION',
        'Somebody profiles this database already; try again when that has ended',
        {
          cause: error,
        },
      )
    }
  }

  /** In this order: whoever comes between puts it back again, to the same. */
  async #putBack({ was, slowms, sampleRate, filter }: Document): Promise<void> {
    await this.#admin.run({
      profile: numberOf(was),
      slowms: numberOf(slowms),
      sampleRate: Number(sampleRate ?? 1),
      ...(filter === undefined ? {} : { filter }),
    })
    await this.#settings.for('restoreProfiler').deleteMany({ name: 'profiler' })
  }

  #now(): Date {
    return this.#admin.database.clock.now()
  }
}
