import type { ObjectId } from 'mongodb'
import type { AuditLog } from '../../activity/audit-log.js'
import type { DataAccessLog } from '../../activity/data-access-log.js'
import type { Database } from '../../core/database.js'
import type { Entity, EntityDescription } from '../../core/entity.js'
import { NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import type { AnyUser } from '../user.js'
import { AccessDeniedError } from './access-denied-error.js'
import type { AccessPolicy } from './access-policy.js'
import type { AccessAction, AccessRule } from './access-rule.js'
import type { DenialLimit } from './denial-limit.js'
import type { DocumentScope } from './document-scope.js'
import { refusedFields } from './given-fields.js'
import { type Guard, GuardedCollection } from './guarded-collection.js'

/** For how long what was read of the user is taken for true. */
const freshForMs = 1_000

/** The fields of an input or a change, by their paths. */
export type Given = Readonly<Record<string, unknown>>

/** What a call is about to write: what each creation or change gives. */
export interface Writes {
  readonly create?: readonly Given[]
  readonly update?: readonly Given[]
  readonly delete?: true
}

export interface BindingParts {
  readonly database: Database
  readonly users: Entity<AnyUser>
  readonly policy: AccessPolicy
  readonly auditLog: AuditLog
  /** Undefined where the host does not want to know who reads what. */
  readonly dataAccessLog: DataAccessLog | undefined
  readonly denials: DenialLimit
}

/**
 * What one user may do. Role, status and classrooms are those in the database, read at the first call and again when they are a
 * second old: whatever is handed in of a user, only the id is believed.
 */
export class Binding {
  readonly database: Database
  readonly userId: ObjectId
  readonly #parts: BindingParts
  #user: Promise<AnyUser | null> | undefined
  #readAtMs = 0

  constructor(parts: BindingParts, userId: ObjectId) {
    this.database = parts.database
    this.userId = userId
    this.#parts = parts
  }

  /** The documents that some action is allowed with. */
  async scope(entity: string, action: AccessAction): Promise<DocumentScope> {
    const user = await this.#present()
    if (user === null) return []
    return this.#parts.policy.scopeOf(this.#parts.policy.rulesOf(user.role, entity, action), user)
  }

  /**
   * What a call may do with the documents of an entity: of the rules about its writes only those that allow all fields that it
   * gives.
   * @throws AccessDeniedError if a write has rules, and none of them allows its fields.
   */
  async guard(name: string, entity: EntityDescription, writes: Writes = {}): Promise<Guard> {
    const user = await this.#present()
    if (user === null) return { entity: name, read: [] }
    const { policy } = this.#parts
    const scopeOf = (action: AccessAction, given: readonly Given[]) => {
      const rules = policy.rulesOf(user.role, name, action)
      return policy.scopeOf(allowing(entity, rules, given), user)
    }
    return {
      entity: name,
      read: scopeOf('read', []),
      ...(writes.create === undefined ? {} : { create: scopeOf('create', writes.create) }),
      ...(writes.update === undefined ? {} : { update: scopeOf('update', writes.update) }),
      ...(writes.delete === undefined ? {} : { delete: scopeOf('delete', []) }),
    }
  }

  /** Whether the action is allowed with the document, or with any where none is named. @param entity Undefined for a service. */
  async may(action: AccessAction, name: string, entity?: Entity, id?: ObjectId | string): Promise<boolean> {
    const scope = await this.scope(name, action)
    if (id === undefined || scope.length === 0) return scope.length > 0
    return entity !== undefined && this.#reaches(name, entity, toObjectId(id), scope)
  }

  /** @throws AccessDeniedError, which is audited; NotFoundError for a document that may not be read either. */
  async require(action: AccessAction, name: string, entity?: Entity, id?: ObjectId | string): Promise<void> {
    if (await this.may(action, name, entity, id)) return
    if (entity === undefined || id === undefined) throw await this.denied(new AccessDeniedError(action, name))
    const _id = toObjectId(id)
    const isSeen = await this.#reaches(name, entity, _id, await this.scope(name, 'read'))
    if (!isSeen) throw new NotFoundError(entity.name, `id ${_id.toHexString()}`)
    throw await this.denied(new AccessDeniedError(action, name, { id: _id.toHexString() }))
  }

  /** Notes that the user was given the documents. */
  noteRead(entity: Entity, documents: readonly object[]): void {
    this.#parts.dataAccessLog?.note(this.userId, entity, documents)
  }

  /** Does work in the user's name: what it writes is audited as the user's. */
  acting<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#parts.auditLog.withActor({ actor: this.userId.toHexString() }, work)
  }

  /**
   * Audits a denial, whatever becomes of the caller's transaction. Of one user 60 a minute are recorded; the last of them says
   * `furtherAreLeftOut`. @returns the error, to be thrown.
   */
  async denied(error: AccessDeniedError): Promise<AccessDeniedError> {
    const { action, entity, id, fields } = error
    const recorded = this.#parts.denials.count(this.userId.toHexString())
    if (recorded === 'left out') return error
    await this.database.transactions.outside(() =>
      this.#parts.auditLog.recordEvent({
        entity: { name: entity },
        entityId: id === undefined ? this.userId : toObjectId(id),
        action: 'access_denied',
        actor: this.userId.toHexString(),
        details: {
          denied: action,
          ...(fields.length === 0 ? {} : { fields: fields.slice(0, 100) }),
          ...(recorded === 'last' ? { furtherAreLeftOut: true } : {}),
        },
      }),
    )
    return error
  }

  async #reaches(name: string, entity: Entity, _id: ObjectId, read: DocumentScope): Promise<boolean> {
    const documents = new GuardedCollection(this.database, entity, { entity: name, read })
    const filter = entity.softDelete ? { _id, deletedAt: null } : { _id }
    return (await documents.findOne(filter, { projection: { _id: 1 } })) !== null
  }

  #present(): Promise<AnyUser | null> {
    const now = performance.now()
    if (this.#user === undefined || now - this.#readAtMs > freshForMs) {
      this.#readAtMs = now
      this.#user = this.#read()
    }
    return this.#user
  }

  async #read(): Promise<AnyUser | null> {
    const { users } = this.#parts
    const projection = Object.fromEntries(users.hidden.map((secret) => [secret, 0]))
    try {
      return await this.database
        .of(users, { isOutside: true })
        .for('access')
        .findOne({ _id: this.userId, deletedAt: null, status: 'active' }, { projection })
    } catch (error) {
      this.#user = undefined
      throw error
    }
  }
}

/** Those of the rules that allow all of what is given. @throws AccessDeniedError if there are rules, and none of them does. */
function allowing(
  entity: EntityDescription,
  rules: readonly AccessRule<string>[],
  given: readonly Given[],
): readonly AccessRule<string>[] {
  const judged = rules.map((rule) => ({
    rule,
    refused: given.flatMap((one) => refusedFields(entity, rule.fields, one)),
  }))
  const allowed = judged.filter(({ refused }) => refused.length === 0).map(({ rule }) => rule)
  const [least] = judged.toSorted((a, b) => a.refused.length - b.refused.length)
  if (allowed.length > 0 || least === undefined) return allowed
  throw new AccessDeniedError(least.rule.action, least.rule.entity, { fields: [...new Set(least.refused)] })
}
