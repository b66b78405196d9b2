import type { ObjectId } from 'mongodb'
import type { AuditLog } from '../activity/audit-log.js'
import type { AuditAction } from '../activity/audit-record.js'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { StoreFilter } from '../core/collection/store-query.js'
import type { Database } from '../core/database.js'
import type { Entity, Identified } from '../core/entity.js'
import { lastWayIn, providerOf } from './providers/auth-key.js'
import type { ProviderToken } from './providers/provider-token.js'
import type { SessionStore } from './sessions/session-store.js'

/** What of a user decides on rights and on ways in. */
interface Watched extends Identified {
  readonly email: string
  readonly emailVerifiedAt?: Date | undefined
  readonly role?: string | undefined
  readonly status: string
  readonly password?: string | undefined
  readonly authKeys?: readonly string[] | undefined
  readonly deletedAt: Date | null
}

const projection = { email: 1, emailVerifiedAt: 1, role: 1, status: 1, password: 1, authKeys: 1, deletedAt: 1 } as const
const watchedFields = Object.keys(projection)

/** Whose changes are watched, and what goes with an account that is taken away. */
export interface WatchedEntities {
  readonly users: Entity<Watched>
  readonly userProviderTokens: Entity<ProviderToken>
}

/**
 * What follows a change of a user, in the same transaction: an audit record, the end of sessions that the user could not
 * open any more, or that another person may hold, and of the tokens of accounts that were taken away. The last way in stays.
 */
export class UserWatch {
  readonly #database: Database
  readonly #users: EntityCollection<Watched>
  readonly #tokens: EntityCollection<ProviderToken>
  readonly #auditLog: AuditLog
  readonly #sessions: SessionStore

  constructor(database: Database, entities: WatchedEntities, auditLog: AuditLog, sessions: SessionStore) {
    this.#database = database
    this.#users = database.of(entities.users, { isDurable: true })
    this.#tokens = database.of(entities.userProviderTokens, { isDurable: true })
    this.#auditLog = auditLog
    this.#sessions = sessions
  }

  /**
   * Does a write of users who match the filter before it.
   * @param fields Those that it may change.
   * @param kept The session that does not end with the others: the user made the change in it.
   * @throws DatabaseError `LAST_WAY_IN` where it took all accounts of a user without a password.
   */
  during<Result>(
    filter: object,
    fields: readonly string[],
    work: () => Promise<Result>,
    kept?: ObjectId,
  ): Promise<Result> {
    if (!fields.some((field) => watchedFields.includes(field))) return work()
    return this.#database.transactions.run(async () => {
      const before = await this.#users.find<Watched>(filter as StoreFilter<Watched>, { projection })
      const result = await work()
      const ids = before.map(({ _id }) => _id)
      const after = ids.length === 0 ? [] : await this.#users.find<Watched>({ _id: { $in: ids } }, { projection })
      const afterById = new Map(after.map((user) => [user._id.toHexString(), user]))
      for (const one of before) await this.#compare(one, afterById.get(one._id.toHexString()), kept)
      return result
    })
  }

  async #compare(before: Watched, after: Watched | undefined, kept: ObjectId | undefined): Promise<void> {
    const { _id } = before
    if (after === undefined || (before.deletedAt === null && after.deletedAt !== null)) {
      await this.#record(_id, 'removed')
      await this.#sessions.end({ user: _id }, 'user_changed')
      return
    }
    if (before.deletedAt !== null && after.deletedAt === null) await this.#record(_id, 'restored')
    const changed = differingFields(before, after)
    if (changed.length > 0) await this.#record(_id, 'changed', only(before, changed), only(after, changed))
    if (changed.includes('email')) await this.#doubt(before, after)
    const hasOtherRights = changed.includes('role') || (changed.includes('status') && after.status !== 'active')
    const hasOtherWaysIn = await this.#compareWaysIn(before, after)
    if (hasOtherRights) await this.#sessions.end({ user: _id }, 'user_changed')
    else if (hasOtherWaysIn) {
      await this.#sessions.end({ user: _id, ...(kept === undefined ? {} : { _id: { $ne: kept } }) }, 'user_changed')
    }
  }

  async #compareWaysIn(before: Watched, after: Watched): Promise<boolean> {
    const { _id, authKeys: formerKeys = [] } = before
    const { authKeys = [] } = after
    const added = authKeys.filter((key) => !formerKeys.includes(key))
    const removed = formerKeys.filter((key) => !authKeys.includes(key))
    const [lost] = removed
    if (lost !== undefined && authKeys.length === 0 && after.password === undefined) throw lastWayIn(providerOf(lost))
    const hasOtherPassword = before.password !== after.password
    if (hasOtherPassword) await this.#record(_id, 'password_changed')
    for (const key of added) await this.#record(_id, 'provider_added', undefined, { provider: providerOf(key) })
    for (const provider of removed.map(providerOf)) {
      await this.#record(_id, 'provider_removed', { provider })
      await this.#tokens.deleteMany({ user: _id, provider })
    }
    return hasOtherPassword || added.length > 0 || removed.length > 0
  }

  /** That an address was verified says nothing about the next one. */
  async #doubt({ _id, emailVerifiedAt: before }: Watched, after: Watched): Promise<void> {
    if (before === undefined || after.emailVerifiedAt?.getTime() !== before.getTime()) return
    await this.#users.updateOne({ _id }, { $unset: { emailVerifiedAt: '' } })
  }

  #record(
    entityId: ObjectId,
    action: AuditAction,
    before?: Readonly<Record<string, unknown>>,
    after?: Readonly<Record<string, unknown>>,
  ): Promise<ObjectId> {
    return this.#auditLog.recordEvent({ entity: this.#users.entity, entityId, action, before, after })
  }
}

type Compared = 'email' | 'role' | 'status'

function differingFields(before: Watched, after: Watched): Compared[] {
  return (['email', 'role', 'status'] as const).filter((field) => before[field] !== after[field])
}

function only(user: Watched, fields: readonly Compared[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, user[field]]))
}
