import type { UserRole } from '../user.js'

/** `control` switches a device; `use` calls a service, such as `analytics`. The others are about documents. */
export const accessActions = ['read', 'create', 'update', 'delete', 'control', 'use'] as const
export type AccessAction = (typeof accessActions)[number]

/** Allows a role an action. There are no rules that refuse: what no rule allows is denied. */
export interface AccessRule<Role extends string = UserRole> {
  readonly role: Role
  /** What the handle calls it, such as `devices` and `analytics`; of an entity of the host's own its name. */
  readonly entity: string
  readonly action: AccessAction
  /** `all`, or the name of a scope of the entity: which of its documents. */
  readonly scope: string
  /**
   * What a creation or a change may give. Left out: what a request may, which is everything but managed and privileged fields
   * ({@link FieldAccess}). A list: of that only these, and of privileged fields those that it names. `all`: whatever the
   * repository takes.
   */
  readonly fields?: 'all' | readonly string[]
}

/** What a field of a document has to be: what the user has at that path, or one of these values. */
export type ScopeValue = string | { readonly anyOf: readonly (string | number | boolean)[] }

/**
 * Which documents a scope has, by their paths: those that have at each what the user has at the path of the user's, such as
 * `{ owner: '_id' }`, or one of what the user has in a list there, such as `{ classroom: 'assignedClassrooms' }`. Who has
 * nothing there has no document in the scope.
 */
export type ScopeDefinition = Readonly<Record<string, ScopeValue>>

/** Scopes by the names of entities and their own. */
export type AccessScopes = Readonly<Record<string, Readonly<Record<string, ScopeDefinition>>>>

/** Who may do what. */
export interface AccessOptions<Role extends string = UserRole> {
  /** All of the rules. Spread {@link defaultAccessRules} into them to add to those. @default defaultAccessRules */
  readonly rules?: readonly AccessRule<Role>[]
  /** Further scopes, and others in the places of {@link defaultAccessScopes}. */
  readonly scopes?: AccessScopes
}

/** A row of the table of access: what a role may do with an entity. */
export interface AccessTableRow {
  readonly role: string
  readonly entity: string
  readonly action: AccessAction
  /** The scopes of the rules, in order: one of them is enough. */
  readonly scopes: readonly string[]
}
