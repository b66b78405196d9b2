import { FormatError } from '../format/format-error.js'
import { changedPathsUpdate } from './changed-paths.js'
import { comparePositions, type Position, positionOf } from './position.js'
import { arrayFrom, bsonType, documentFrom, fieldMapOf, fieldsOf, type RawField, textOf } from './raw-document.js'

type Fields = ReadonlyMap<string, RawField>

export function eventPosition(event: Buffer): Position {
  const time = fieldMapOf(event).get('clusterTime')
  if (time?.type !== bsonType.timestamp) throw new FormatError('a change has no cluster time')
  return positionOf(time.value)
}

/** Where a change stream goes on after this event: its token. */
export function eventToken(event: Buffer): Buffer {
  return inside(fieldMapOf(event), '_id')
}

/** Makes entries of the oplog of the events of a change stream. Those of a transaction, which have one time, are one entry. */
export async function* entriesOfEvents(events: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let together: Buffer[] = []
  for await (const event of events) {
    const [first] = together
    if (first !== undefined && comparePositions(eventPosition(first), eventPosition(event)) !== 0) {
      yield entryOf(together)
      together = []
    }
    together.push(event)
  }
  if (together.length > 0) yield entryOf(together)
}

function entryOf(events: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(0)] = events
  const head = [
    { ...required(fieldMapOf(first), 'clusterTime'), name: 'ts' },
    { type: bsonType.int64, name: 't', value: Buffer.alloc(8) },
  ]
  const operations = events.flatMap((event) => operationsOf(fieldMapOf(event)))
  const [only, ...more] = operations
  if (only !== undefined && more.length === 0) return documentFrom([...head, ...only])
  const applied = arrayFrom(operations.map((fields) => ({ type: bsonType.document, value: documentFrom(fields) })))
  const command = documentFrom([{ type: bsonType.array, name: 'applyOps', value: applied }])
  return documentFrom([...head, text('op', 'c'), text('ns', 'admin.$cmd'), document('o', command)])
}

/** The operations of the oplog that an event is of. */
function operationsOf(event: Fields): RawField[][] {
  const kind = textOf(event.get('operationType'))
  if (kind === 'invalidate') return []
  const namespace = fieldMapOf(inside(event, 'ns'))
  const [database, collection] = [textOf(namespace.get('db')), namespace.get('coll')]
  const name = collection === undefined ? '' : textOf(collection)
  const change = (op: string, ...fields: RawField[]) => [[text('op', op), text('ns', `${database}.${name}`), ...fields]]
  const command = (...fields: RawField[]) => [
    text('op', 'c'),
    text('ns', `${database}.$cmd`),
    document('o', documentFrom(fields)),
  ]
  const described = () => fieldsOf(event.get('operationDescription')?.value ?? documentFrom([]))
  const indexes = () => fieldsOf(described().find((field) => field.name === 'indexes')?.value ?? documentFrom([]))
  switch (kind) {
    case 'insert':
      return change('i', document('o', inside(event, 'fullDocument')))
    case 'replace':
      return change('u', document('o', inside(event, 'fullDocument')), document('o2', inside(event, 'documentKey')))
    case 'update':
      return change(
        'u',
        document('o', changedPathsUpdate(inside(event, 'updateDescription'))),
        document('o2', inside(event, 'documentKey')),
      )
    case 'delete':
      return change('d', document('o', inside(event, 'documentKey')))
    case 'create':
      return [created(database, name, described(), command)]
    case 'drop':
      return [command(text('drop', name))]
    case 'rename': {
      const to = fieldMapOf(inside(event, 'to'))
      const target = `${textOf(to.get('db'))}.${textOf(to.get('coll'))}`
      return [command(text('renameCollection', `${database}.${name}`), text('to', target))]
    }
    case 'createIndexes':
      return [
        command(text('commitIndexBuild', name), { type: bsonType.array, name: 'indexes', value: arrayFrom(indexes()) }),
      ]
    case 'dropIndexes':
      return indexes().map((index) =>
        command(text('dropIndexes', name), { ...required(fieldMapOf(index.value), 'name'), name: 'index' }),
      )
    case 'modify':
      return [command(text('collMod', name), ...described())]
    case 'dropDatabase':
      return [command({ type: bsonType.int32, name: 'dropDatabase', value: Buffer.from([1, 0, 0, 0]) })]
    default:
      // It has no name in the oplog, and is noted as what cannot be replayed.
      return [command(text(kind, name))]
  }
}

/** A view is a document of the server's own collection of them. */
function created(
  database: string,
  name: string,
  options: readonly RawField[],
  command: (...fields: RawField[]) => RawField[],
): RawField[] {
  if (!options.some((option) => option.name === 'viewOn')) return command(text('create', name), ...options)
  const view = documentFrom([text('_id', `${database}.${name}`), ...options])
  return [text('op', 'i'), text('ns', `${database}.system.views`), document('o', view)]
}

function required(fields: Fields, name: string): RawField {
  const field = fields.get(name)
  if (field === undefined) throw new FormatError(`a change has no ${name}`)
  return field
}

function inside(fields: Fields, name: string): Buffer {
  const field = required(fields, name)
  if (field.type !== bsonType.document) throw new FormatError(`a change has a ${name} that is no document`)
  return field.value
}

function document(name: string, value: Buffer): RawField {
  return { type: bsonType.document, name, value }
}

function text(name: string, value: string): RawField {
  const bytes = Buffer.from(`${value}\0`)
  const length = Buffer.alloc(4)
  length.writeInt32LE(bytes.length)
  return { type: bsonType.string, name, value: Buffer.concat([length, bytes]) }
}
