import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { validateData } from '../../core/validate.js'
import { type Client, clientSchema } from '../client.js'
import { newPasswordOf } from '../passwords/password.js'
import type { AnyUser } from '../user.js'
import type { UserWatch } from '../user-watch.js'
import type { Attempts, Credentials } from './attempts.js'
import { isLocked, unlocked } from './lock-out.js'
import { reasonOf } from './sign-in-error.js'

export interface PasswordChangeOptions {
  /** The session that goes on. */
  readonly session?: ObjectId | string | undefined
  /** Options of the MQTT client. */
  readonly client?: Client | undefined
}

const optionsSchema = z.strictObject({ session: objectId().optional(), client: clientSchema.optional() })

/** New passwords for who knows the present one. */
export class PasswordChange {
  readonly #database: Database
  readonly #users: EntityCollection<Credentials>
  readonly #attempts: Pick<Attempts<AnyUser>, 'failed' | 'refused'>
  readonly #watch: UserWatch

  constructor(
    database: Database,
    users: Entity<Credentials>,
    attempts: Pick<Attempts<AnyUser>, 'failed' | 'refused'>,
    watch: UserWatch,
  ) {
    this.#database = database
    this.#users = database.of(users, { isDurable: true }).for('changePassword')
    this.#attempts = attempts
    this.#watch = watch
  }

  async perform(_id: ObjectId, present: string, next: string, options: PasswordChangeOptions): Promise<void> {
    const { session, client = {} } = validateData(optionsSchema, options, 'The options')
    const valid = newPasswordOf(next)
    const projection = { email: 1, status: 1, password: 1, lockUntil: 1, deletedAt: 1, isLocked }
    const known = await this.#users.findOne({ _id, deletedAt: null }, { projection })
    const isRight = await this.#database.hasher.verify(present, known?.password)
    if (known === null || !isRight) throw await this.#attempts.failed(known, client)
    const reason = reasonOf(known)
    if (reason !== undefined) throw await this.#attempts.refused(known, reason, client)
    const hash = await this.#database.hasher.hash(valid)
    const isChanged = await this.#change(known, hash, session)
    // The password was changed or the user locked out meanwhile.
    if (!isChanged) throw await this.#attempts.failed(known, client)
  }

  async #change({ _id, password }: Credentials, hash: string, session: ObjectId | undefined): Promise<boolean> {
    const filter = { _id, deletedAt: null, status: 'active', password, ...unlocked }
    const update = { $set: { password: hash, loginAttempts: 0 } }
    const { matched } = await this.#watch.during(
      { _id },
      ['password'],
      () => this.#users.updateOne(filter, update),
      session,
    )
    return matched > 0
  }
}
