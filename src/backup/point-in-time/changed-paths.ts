import { FormatError } from '../format/format-error.js'
import { arrayFrom, bsonType, documentFrom, fieldMapOf, fieldsOf, type RawField, textOf } from './raw-document.js'

/** How an update is kept that a change stream has shown: with the paths that were changed, as `updateDescription` has them. */
const changedField = '$changed'

export function changedPathsUpdate(updateDescription: Buffer): Buffer {
  return documentFrom([{ type: bsonType.document, name: changedField, value: updateDescription }])
}

/** The paths of such an update; undefined for any other. */
export function changedPathsOf(update: Buffer): Buffer | undefined {
  const [first] = fieldsOf(update)
  return first?.name === changedField ? first.value : undefined
}

/**
 * What a document is after an update. A path such as `a.0` means what it can mean in this document.
 * @throws FormatError where it can mean several things, as names of fields may have dots.
 */
export function applyChangedPaths(document: Buffer, changedPaths: Buffer): Buffer {
  const parts = fieldMapOf(changedPaths)
  const listOf = (name: string) => fieldsOf(parts.get(name)?.value ?? documentFrom([]))
  let now = document
  for (const { value } of listOf('truncatedArrays')) {
    const [path, size] = [textOf(fieldMapOf(value).get('field')), fieldMapOf(value).get('newSize')]
    now = changeAt(now, false, path, (array) => truncated(array, size?.value.readInt32LE(0) ?? 0))
  }
  for (const { name, type, value } of listOf('updatedFields')) now = changeAt(now, false, name, () => ({ type, value }))
  for (const removed of listOf('removedFields')) now = changeAt(now, false, textOf(removed), () => undefined)
  return now
}

type Value = Omit<RawField, 'name'>

function truncated(array: Value | undefined, size: number): Value {
  if (array?.type !== bsonType.array) throw new FormatError('an update does not fit its document: an array is none')
  return { type: array.type, value: arrayFrom(fieldsOf(array.value).slice(0, size)) }
}

function changeAt(
  container: Buffer,
  isArray: boolean,
  path: string,
  change: (value: Value | undefined) => Value | undefined,
): Buffer {
  const fields = fieldsOf(container)
  const isOnTheWay = ({ name, type }: RawField) =>
    name === path || (path.startsWith(`${name}.`) && (type === bsonType.document || type === bsonType.array))
  const [field, other] = fields.filter(isOnTheWay)
  if (other !== undefined) throw new FormatError(`an update of the path ${path} can mean several fields`)
  if (field === undefined) {
    const value = change(undefined)
    const added = value === undefined ? [] : [{ name: path, ...value }]
    return isArray ? arrayFrom(extended(fields, path, added)) : documentFrom([...fields, ...added])
  }
  const changed =
    field.name === path
      ? change(field)
      : {
          type: field.type,
          value: changeAt(field.value, field.type === bsonType.array, path.slice(field.name.length + 1), change),
        }
  const left = fields.flatMap((one) => {
    if (one !== field) return [one]
    return changed === undefined ? [] : [{ name: field.name, ...changed }]
  })
  return documentFrom(left)
}

/** Of an array that grew by more than one, what is between is null. */
function extended(elements: readonly RawField[], position: string, added: readonly Value[]): Value[] {
  const between = Math.max(0, Number(position) - elements.length)
  if (!/^\d+$/.test(position)) throw new FormatError(`an update does not fit its array, which has no ${position}`)
  return [
    ...elements,
    ...Array.from({ length: between }, () => ({ type: bsonType.null, value: Buffer.alloc(0) })),
    ...added,
  ]
}
