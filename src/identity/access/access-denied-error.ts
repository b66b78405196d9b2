import { DatabaseError } from '../../core/errors.js'
import type { AccessAction } from './access-rule.js'

/** Nothing allows this user to do it. Nothing was written; the attempt is in the audit log. */
export class AccessDeniedError extends DatabaseError {
  readonly action: AccessAction
  /** What the handle calls it, such as `devices`; of an entity of the host's own its name. */
  readonly entity: string
  /** The document, in hexadecimal digits; left out where it is not about one. */
  readonly id: string | undefined
  /** The fields that may not be given; empty where it is not about these. */
  readonly fields: readonly string[]

  constructor(
    action: AccessAction,
    entity: string,
    of: { readonly id?: string; readonly fields?: readonly string[] } = {},
  ) {
    const { id, fields = [] } = of
    const what = `${action} ${entity}${id === undefined ? '' : ` ${id}`}`
    const which = fields.length === 0 ? '' : `, not with ${fields.slice(0, 10).join(', ').slice(0, 300)}`
    super('ACCESS_DENIED', `The user may not ${what}${which}`)
    this.action = action
    this.entity = entity
    this.id = id
    this.fields = fields
  }

  override toJSON(): Record<string, unknown> {
    const { action, entity, id, fields } = this
    return { ...super.toJSON(), action, entity, ...(id === undefined ? {} : { id }), fields }
  }
}
