import type { Clock } from './core/clock.js'
import type { ConnectionOptions } from './core/connection.js'
import type { Entity } from './core/entity.js'
import type { KeyRingOptions } from './core/key-ring.js'
import type { Logger } from './core/logger.js'
import type { SubjectKeyStore } from './core/subject-keys/subject-key-store.js'
import type { CollectionKey, EntityExtensions, RoleIn, ServiceOptions } from './domains.js'
import type { AccessOptions } from './identity/access/access-rule.js'

export interface AttachOptions<Extended extends EntityExtensions = object> extends ServiceOptions {
  /** Entities with fields of the host's own in place of ours: `{ devices: deviceEntity.extend({ fields: { ... } }) }`. */
  readonly entities?: Extended
  /** Other names for our collections. */
  readonly collections?: Partial<Record<CollectionKey, string>>
  /** Entities of the host's own, which `setup()` sets up too; `volt.repository()` gives their repositories. */
  readonly hostEntities?: readonly Entity[]
  /** Who may do what: rules for the roles of users. @default `defaultAccessRules` */
  readonly access?: AccessOptions<RoleIn<Extended>>
  /** Keys for the fields that are encrypted at rest; needed as soon as a secret is written or read. */
  readonly keys?: KeyRingOptions
  /**
   * Where the keys of persons are kept, with which fields of `sealedFor` are sealed: a store of the host's own, or the name of another
   * database of the server. No backup of the library takes it. @default the database of the handle's name and `_keys`
   */
  readonly subjectKeys?: SubjectKeyStore | { readonly database: string }
  /** Where the library says what it does, in pino's shape. @default nowhere */
  readonly logger?: Logger
  /** Logs every operation of a repository at debug level, without values. @default false */
  readonly logQueries?: boolean
  /** @default the machine's clock */
  readonly clock?: Clock
  /** Closes the handle on SIGINT and SIGTERM, then lets the signal take its course. @default false */
  readonly closeOnSignals?: boolean
}

export type OpenOptions<Extended extends EntityExtensions = object> = ConnectionOptions & AttachOptions<Extended>
