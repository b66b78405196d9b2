import { FormatError } from '../format/format-error.js'
import { diffOf, isKnownDiff } from './document-diff.js'
import { type Position, positionOf } from './position.js'
import {
  arrayFrom,
  bsonType,
  documentFrom,
  fieldMapOf,
  fieldsOf,
  isTrue,
  type RawField,
  textOf,
} from './raw-document.js'

/** One change: of a document (`i`, `u`, `d`), or of a collection or the database (`c`). */
export interface LoggedChange {
  readonly kind: 'i' | 'u' | 'd' | 'c'
  /** The collection; of a command the one that it is about, empty if it is about the database. */
  readonly collection: string
  /** The document, the update, the `_id`, or the command. */
  readonly content: Buffer
  /** Which document an update is of: `{ _id }`. */
  readonly target: Buffer | undefined
}

/** An entry of the oplog, as far as a database has a part in it. */
export interface LoggedEntry {
  readonly position: Position
  readonly changes: readonly LoggedChange[]
  /** Of a transaction that several entries have, and of each but the last: more are to come. */
  readonly isPartial: boolean
  /** Of an entry of such a transaction; empty otherwise. */
  readonly transaction: string
  /** Whether entries of the same transaction came before. */
  readonly isContinued: boolean
}

/** The position of an entry and the term that its primary was elected for: no two histories have both the same. */
export interface EntryMark extends Position {
  readonly term: number
}

export function markOf(entry: Buffer): EntryMark {
  const fields = fieldMapOf(entry)
  const [time, term] = [fields.get('ts'), fields.get('t')]
  if (time?.type !== bsonType.timestamp) throw new FormatError('an entry of the oplog has no time')
  return { ...positionOf(time.value), term: term?.type === bsonType.int64 ? Number(term.value.readBigInt64LE(0)) : 0 }
}

/** @param database The one that counts: a transaction may have changes of others. */
export function parseEntry(entry: Buffer, database: string): LoggedEntry {
  const fields = fieldMapOf(entry)
  const content = documentOf(fields, 'o')
  const command = fieldMapOf(content)
  const applied = command.get('applyOps')
  const { seconds, increment } = markOf(entry)
  const position = { seconds, increment }
  if (applied === undefined) {
    const change = changeOf(entry, database)
    return {
      position,
      changes: change === undefined ? [] : [change],
      isPartial: false,
      transaction: '',
      isContinued: false,
    }
  }
  const changes = fieldsOf(applied.value).map(({ value }) => changeOf(value, database))
  const session = fields.get('lsid')?.value.toString('hex') ?? ''
  const previous = fields.get('prevOpTime')?.value
  return {
    position,
    changes: changes.filter((change) => change !== undefined),
    isPartial: isTrue(command.get('partialTxn')),
    transaction: `${session} ${fields.get('txnNumber')?.value.toString('hex') ?? ''}`,
    isContinued: previous !== undefined && isAfterOther(previous),
  }
}

function isAfterOther(previous: Buffer): boolean {
  const time = fieldMapOf(previous).get('ts')
  return time !== undefined && positionOf(time.value).seconds > 0
}

function documentOf(fields: ReadonlyMap<string, RawField>, name: string): Buffer {
  const field = fields.get(name)
  if (field?.type !== bsonType.document) throw new FormatError(`an entry of the oplog has no ${name}`)
  return field.value
}

/** Undefined for a change of another database, and for what changes nothing. */
function changeOf(operation: Buffer, database: string): LoggedChange | undefined {
  const fields = fieldMapOf(operation)
  const [kind, namespace] = [textOf(fields.get('op')), textOf(fields.get('ns'))]
  if (!namespace.startsWith(`${database}.`)) return undefined
  const collection = namespace.slice(database.length + 1)
  const target = fields.get('o2')?.value
  const content = documentOf(fields, 'o')
  if (kind === 'c') return { kind, collection: collectionOfCommand(content, database), content, target }
  return kind === 'i' || kind === 'u' || kind === 'd' ? { kind, collection, content, target } : undefined
}

function collectionOfCommand(command: Buffer, database: string): string {
  const [first] = fieldsOf(command)
  if (first?.type !== bsonType.string) return ''
  const named = textOf(first)
  return first.name === 'renameCollection' ? named.slice(database.length + 1) : named
}

/**
 * What a slice keeps of an entry: the changes of the database, without those of collections that are in no backup.
 * @returns undefined if that is nothing.
 */
export function keptOf(entry: Buffer, database: string, isKept: (collection: string) => boolean): Buffer | undefined {
  const fields = fieldsOf(entry)
  const content = fields.find(({ name }) => name === 'o')?.value ?? Buffer.alloc(0)
  const isKeptChange = (operation: Buffer) => {
    const change = changeOf(operation, database)
    return change !== undefined && isKept(change.collection)
  }
  if (fields.some(({ name, value }) => name === 'op' && value[4] === 0x6e)) return undefined
  const applied = fieldsOf(content).find(({ name }) => name === 'applyOps')
  if (applied === undefined) return isKeptChange(entry) ? entry : undefined
  const changes = fieldsOf(applied.value)
  const kept = changes.filter(({ value }) => isKeptChange(value))
  const { isPartial, isContinued } = parseEntry(entry, database)
  // The last entry of a transaction makes those before it count, also where it has no change of its own.
  if (kept.length === 0 && !isPartial && !isContinued) return undefined
  if (kept.length === changes.length) return entry
  const command = fieldsOf(content).map((one) => (one.name === 'applyOps' ? { ...one, value: arrayFrom(kept) } : one))
  return documentFrom(fields.map((one) => (one.name === 'o' ? { ...one, value: documentFrom(command) } : one)))
}

const replayedCommands: ReadonlySet<string> = new Set([
  'create',
  'drop',
  'renameCollection',
  'createIndexes',
  'startIndexBuild',
  'abortIndexBuild',
  'commitIndexBuild',
  'dropIndexes',
  'collMod',
  'dropDatabase',
])
const replayedModifications: ReadonlySet<string> = new Set([
  'collMod',
  'validator',
  'validationLevel',
  'validationAction',
  'index',
  'expireAfterSeconds',
  'timeseries',
  'changeStreamPreAndPostImages',
])
const replayedIndexModifications: ReadonlySet<string> = new Set(['name', 'hidden', 'expireAfterSeconds'])

/** What a replay cannot do once more, in words for people; undefined where it can do everything. */
export function unreplayablePart(entry: Buffer, database: string): string | undefined {
  const content = fieldMapOf(documentOf(fieldMapOf(entry), 'o'))
  if (isTrue(content.get('prepare'))) return 'a transaction over several shards'
  for (const change of parseEntry(entry, database).changes) {
    const problem = change.kind === 'c' ? commandProblem(change, database) : updateProblem(change)
    if (problem !== undefined) return problem
  }
  return undefined
}

function commandProblem({ content, collection }: LoggedChange, database: string): string | undefined {
  const fields = fieldsOf(content)
  const [first] = fields
  const name = first?.name ?? 'an empty command'
  if (!replayedCommands.has(name)) return `${name} on ${collection || 'the database'}`
  const to = fields.find((field) => field.name === 'to')
  if (name === 'renameCollection' && !textOf(to).startsWith(`${database}.`))
    return `a rename of ${collection} to another database`
  if (name !== 'collMod') return undefined
  const index = fields.find((field) => field.name === 'index')
  const odd =
    fields.find((field) => !replayedModifications.has(field.name)) ??
    (index === undefined ? [] : fieldsOf(index.value)).find((field) => !replayedIndexModifications.has(field.name))
  return odd === undefined ? undefined : `collMod with ${odd.name} on ${collection}`
}

function updateProblem({ kind, content, collection }: LoggedChange): string | undefined {
  if (kind !== 'u') return undefined
  const [first] = fieldsOf(content)
  if (first?.name !== '$v') return undefined
  const diff = diffOf(content)
  const isKnown = first.type === bsonType.int32 && first.value.readInt32LE(0) === 2 && diff !== undefined
  return isKnown && isKnownDiff(diff) ? undefined : `an update of ${collection} in a form of later servers`
}
