import type { Privilege } from '../../core/privileges.js'
import { keyDatabaseOf, subjectKeyCollection } from '../../core/subject-keys/database-key-store.js'

/** What a role is for. */
export const rolePurposes = ['application', 'migration', 'backup', 'restore', 'metrics', 'auditor'] as const
export type RolePurpose = (typeof rolePurposes)[number]

/** Role definition: a role of MongoDB's that may do what one part of the library needs, and no more. */
export interface RoleDefinition {
  readonly purpose: RolePurpose
  /** Its name in the database `admin`, such as `autovolt_application_school`. */
  readonly role: string
  /** What runs under it. */
  readonly serves: string
  readonly privileges: readonly Privilege[]
}

/** The collections of a database that roles tell apart, by their real names. */
export interface RoleCollections {
  /** Of all entities, the host's included. */
  readonly all: readonly string[]
  /** The entries of the ledger: nobody but migrations may change or remove them. */
  readonly ledger: string
  /** What says which entries have left the database: the same holds for it. */
  readonly archiveRecords: readonly string[]
  /** Of firmware images, which are of no entity. */
  readonly files: readonly string[]
  /** What `volt.ledger.verify()` and `export()` read. */
  readonly audited: readonly string[]
  /** What the doctor, `health()` and metrics read. */
  readonly watched: readonly string[]
  /** What the doctor and `sizes()` write. */
  readonly watchRecords: readonly string[]
  /** What backups write in the database that they are of. */
  readonly backupRecords: readonly string[]
}

const structure = ['listCollections', 'listIndexes', 'collStats', 'dbStats'] as const
const documents = ['find', 'insert', 'update', 'remove', 'bypassDocumentValidation'] as const
const shape = [
  'createCollection',
  'dropCollection',
  'renameCollectionSameDB',
  'createIndex',
  'dropIndex',
  'collMod',
] as const
const tending = ['indexStats', 'validate', 'compact', 'enableProfiler'] as const

/** The roles for one database, in the order of {@link rolePurposes}. */
export function roleDefinitions(dbName: string, collections: RoleCollections): RoleDefinition[] {
  const on = (collection: string, ...actions: readonly string[]): Privilege => ({
    resource: { db: dbName, collection },
    actions,
  })
  const anywhere = (...actions: readonly string[]) => on('', ...actions)
  const onBuckets = (of: { readonly db?: string }, ...actions: readonly string[]): Privilege => ({
    resource: { ...of, system_buckets: '' },
    actions,
  })
  const onServer = (...actions: readonly string[]): Privilege => ({ resource: { cluster: true }, actions })
  const { all, ledger, archiveRecords, files, audited, watched, watchRecords, backupRecords } = collections

  const ofApplication = (name: string) => {
    if (name === ledger) return ['find', 'insert', 'bypassDocumentValidation']
    return archiveRecords.includes(name) ? ['find'] : documents
  }
  const privileges: Readonly<Record<RolePurpose, readonly Privilege[]>> = {
    application: [
      anywhere(...structure),
      ...all.map((name) => on(name, ...ofApplication(name), 'changeStream')),
      ...files.map((name) => on(name, 'find', 'insert', 'remove', 'createIndex')),
      {
        resource: { db: keyDatabaseOf(dbName), collection: subjectKeyCollection },
        actions: ['find', 'insert', 'update'],
      },
    ],
    migration: [
      anywhere(...structure, ...documents, 'changeStream', ...shape, ...tending),
      on('system.profile', 'find'),
      onServer('replSetGetStatus', 'replSetGetConfig'),
    ],
    backup: [
      anywhere('find', ...structure),
      onBuckets({ db: dbName }, 'find'),
      on('system.js', 'find'),
      ...backupRecords.map((name) => on(name, 'insert', 'update', 'remove')),
      { resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find', 'collStats'] },
      onServer('getParameter'),
    ],
    restore: [
      {
        resource: { db: '', collection: '' },
        actions: [...structure, ...documents, ...shape, 'convertToCapped', 'dropDatabase'],
      },
      onBuckets({}, ...documents, 'collStats'),
      { resource: { db: '', collection: 'system.js' }, actions: ['find', 'insert', 'update', 'remove'] },
    ],
    metrics: [
      anywhere(...structure, 'indexStats'),
      ...watched.map((name) => on(name, 'find')),
      ...watchRecords.map((name) => on(name, 'find', 'insert', 'update')),
      onServer('serverStatus', 'replSetGetStatus', 'getParameter', 'getDefaultRWConcern', 'inprog'),
    ],
    auditor: [anywhere('listCollections', 'listIndexes'), ...audited.map((name) => on(name, 'find'))],
  }
  return rolePurposes.map((purpose) => ({
    purpose,
    role: `autovolt_${purpose}_${dbName}`,
    serves: serves[purpose],
    privileges: privileges[purpose],
  }))
}

const serves: Readonly<Record<RolePurpose, string>> = {
  application: 'the service itself: reads and writes the documents of all entities, and only appends to the ledger',
  migration: '`setup()`, migrations, `ledger.archive()`, retention into archives, slow queries, advice on indexes',
  backup: '`volt.backup`: create, verify, slices, clean-up, on a schedule too',
  restore: '`volt.backup`: restore and drills, into databases of any name',
  metrics: '`doctor()`, `server()`, `sizes()`, `replicaSet()`, `running()`, metrics; no documents of people or devices',
  auditor: '`volt.ledger`: verify, export and proofs, read only',
}
