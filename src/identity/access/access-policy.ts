import type { Document } from 'mongodb'
import { z } from 'zod'
import type { EntityDescription } from '../../core/entity.js'
import { DatabaseError, ValidationError } from '../../core/errors.js'
import { schemaAtAnyItem } from '../../core/field-schema.js'
import { isRecord } from '../../core/is-record.js'
import { validateData } from '../../core/validate.js'
import {
  type AccessAction,
  type AccessOptions,
  type AccessRule,
  type AccessScopes,
  type AccessTableRow,
  accessActions,
} from './access-rule.js'
import { defaultAccessRules, defaultAccessScopes } from './default-rules.js'
import { branchOf, type DocumentScope } from './document-scope.js'

/** What rules can be about, by name: the entity of documents; null for a service. */
export type AccessSubjects = ReadonlyMap<string, EntityDescription | null>

const name = () => z.string().min(1).max(100)
const rulesSchema = z
  .array(
    z.strictObject({
      role: name(),
      entity: name(),
      action: z.enum(accessActions),
      scope: name(),
      fields: z.union([z.literal('all'), z.array(name()).max(200)]).optional(),
    }),
  )
  .max(10_000)
const value = z.union([
  name(),
  z.strictObject({ anyOf: z.array(z.union([name(), z.number(), z.boolean()])).max(1_000) }),
])
const scopesSchema = z.record(name(), z.record(name(), z.record(name(), value)))
const optionsSchema = z.strictObject({ rules: rulesSchema.optional(), scopes: scopesSchema.optional() })

/** The rules of a handle, checked when it is opened: against its entities, its services and the roles of its users. */
export class AccessPolicy {
  readonly #rules = new Map<string, AccessRule<string>[]>()
  readonly #scopes: AccessScopes
  readonly #subjects: AccessSubjects

  /** @throws DatabaseError `CONFIGURATION` for rules and scopes that are none. */
  constructor(options: AccessOptions<string> = {}, subjects: AccessSubjects, users: EntityDescription) {
    const { rules = defaultAccessRules, scopes = {} } = parsed(options)
    this.#subjects = subjects
    this.#scopes = mergedScopes(scopes)
    for (const [entity, definitions] of Object.entries(scopes)) this.#requireScopes(entity, definitions, users)
    for (const rule of rules) {
      // The default rules are for the default roles; of a host's own roles none has them.
      if (options.rules !== undefined) requireRole(users, rule)
      this.#requireRule(rule)
      const key = keyOf(rule.role, rule.entity, rule.action)
      this.#rules.set(key, [...(this.#rules.get(key) ?? []), rule])
    }
  }

  /** The rules that allow the role the action, in the order in which they were given. */
  rulesOf(role: string | undefined, entity: string, action: AccessAction): readonly AccessRule<string>[] {
    return role === undefined ? [] : (this.#rules.get(keyOf(role, entity, action)) ?? [])
  }

  /** Which documents some rules of an entity allow a user. */
  scopeOf(rules: readonly AccessRule<string>[], user: Document): DocumentScope {
    if (rules.some(({ scope }) => scope === 'all')) return 'all'
    return rules.flatMap(({ entity, scope }) => {
      const definition = this.#scopes[entity]?.[scope]
      return (definition && branchOf(definition, user)) ?? []
    })
  }

  /** Everything that is allowed: a row for each role, entity and action that a rule is about. */
  table(): AccessTableRow[] {
    return [...this.#rules.values()].flatMap((rules) => {
      const [first] = rules
      if (first === undefined) return []
      const { role, entity, action } = first
      return [{ role, entity, action, scopes: rules.map(({ scope }) => scope) }]
    })
  }

  #requireRule({ role, entity, action, scope, fields }: AccessRule<string>): void {
    const what = `${role}, ${entity}, ${action}`
    const description = this.#subjects.get(entity)
    if (description === undefined) throw refusal(what, `there is no ${entity} here`)
    const isService = description === null
    if (isService !== (action === 'use')) throw refusal(what, 'services are used, and nothing else is')
    if (scope !== 'all' && this.#scopes[entity]?.[scope] === undefined)
      throw refusal(what, `${entity} has no scope ${scope}`)
    if (fields === undefined) return
    if (action !== 'create' && action !== 'update') throw refusal(what, 'fields are for create and update')
    if (fields === 'all' || description === null) return
    const shape: unknown = Reflect.get(description.inputSchema, 'shape')
    const odd = fields.find((field) => !isRecord(shape) || !Object.hasOwn(shape, field) || field === '_id')
    if (odd !== undefined) throw refusal(what, `${odd} is not a field of ${entity}`)
  }

  #requireScopes(entity: string, scopes: AccessScopes[string], users: EntityDescription): void {
    const description = this.#subjects.get(entity)
    if (!description) throw refusal(entity, 'has no documents that a scope could be of')
    for (const [scope, definition] of Object.entries(scopes)) {
      const what = `${entity}, ${scope}`
      if (scope === 'all') throw refusal(what, 'is what rules call all of the documents')
      if (Object.keys(definition).length === 0) throw refusal(what, 'names no path; for all documents there is `all`')
      for (const [path, source] of Object.entries(definition)) {
        requirePath(what, description, path)
        if (typeof source === 'string') requirePath(what, users, source)
      }
    }
  }
}

/** The default scopes, with those of the host added or in their places. */
function mergedScopes(own: AccessScopes): AccessScopes {
  const defaults: AccessScopes = defaultAccessScopes
  const entities = [...new Set([...Object.keys(defaults), ...Object.keys(own)])]
  return Object.fromEntries(entities.map((entity) => [entity, { ...defaults[entity], ...own[entity] }]))
}

function requirePath(what: string, entity: EntityDescription, path: string): void {
  const [head = ''] = path.split('.', 1)
  if (entity.hidden.includes(head) || schemaAtAnyItem(entity, path) === undefined)
    throw refusal(what, `${path} is not a field of a ${entity.name}`)
}

function requireRole(users: EntityDescription, { role, entity, action }: AccessRule<string>): void {
  if (users.storedSchema.shape.role?.safeParse(role).success === true) return
  throw refusal(`${role}, ${entity}, ${action}`, 'users have no such role')
}

function parsed(options: AccessOptions<string>): AccessOptions<string> {
  try {
    return validateData(optionsSchema, options, '`access`') as AccessOptions<string>
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new DatabaseError('CONFIGURATION', error.message)
  }
}

function refusal(what: string, message: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The access rule (${what}): ${message}`)
}

function keyOf(role: string, entity: string, action: string): string {
  return JSON.stringify([role, entity, action])
}
