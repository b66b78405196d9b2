import { FormatError } from '../format/format-error.js'
import { arrayFrom, bsonType, documentFrom, fieldsOf, isTrue, type RawField } from './raw-document.js'

/**
 * The difference that an update has in the oplog since MongoDB 5.0 (`$v: 2`). Of a document: `d` has the fields that go, `u`
 * those that get another value in their place, `i` those that are put at the end, and `s` with a name the difference of what
 * is inside. Of an array: `a`, its new length `l`, and `u` or `s` with a position.
 */
export function applyDiff(document: Buffer, diff: Buffer): Buffer {
  const parts = partsOf(diff)
  const left: RawField[] = []
  for (const field of fieldsOf(document)) {
    const { name } = field
    if (parts.deleted.has(name) || parts.inserted.has(name)) continue
    const updated = parts.updated.get(name)
    const inside = parts.inside.get(name)
    parts.updated.delete(name)
    parts.inside.delete(name)
    left.push(updated ?? (inside === undefined ? field : { ...field, value: applyInside(field, inside) }))
  }
  const [missing] = parts.inside.keys()
  if (missing !== undefined) throw new FormatError(`an update does not fit its document, which has no ${missing}`)
  return documentFrom([...left, ...parts.updated.values(), ...parts.inserted.values()])
}

/** The difference of an update; undefined for one that has the whole document. */
export function diffOf(update: Buffer): Buffer | undefined {
  const [version, diff] = fieldsOf(update)
  return version?.name === '$v' && diff?.name === 'diff' ? diff.value : undefined
}

/** Whether every part of the difference is of a kind that is known here: later servers have more. */
export function isKnownDiff(diff: Buffer): boolean {
  const fields = fieldsOf(diff)
  const isOfArray = isArrayDiff(fields)
  const known = isOfArray ? /^(?:a|l|u\d+|s\d+)$/ : /^(?:[dui]$|s)/s
  return fields.every(({ name, value, type }) => {
    const isInside = name.startsWith('s') && (!isOfArray || name !== 's')
    return known.test(name) && (!isInside || (type === bsonType.document && isKnownDiff(value)))
  })
}

interface DiffParts {
  readonly deleted: ReadonlySet<string>
  readonly updated: Map<string, RawField>
  readonly inserted: ReadonlyMap<string, RawField>
  readonly inside: Map<string, Buffer>
}

function partsOf(diff: Buffer): DiffParts {
  const deleted = new Set<string>()
  const [updated, inserted] = [new Map<string, RawField>(), new Map<string, RawField>()]
  const inside = new Map<string, Buffer>()
  for (const { name, value } of fieldsOf(diff)) {
    if (name.startsWith('s')) inside.set(name.slice(1), value)
    else if (name === 'd') for (const field of fieldsOf(value)) deleted.add(field.name)
    else if (name === 'u') for (const field of fieldsOf(value)) updated.set(field.name, field)
    else if (name === 'i') for (const field of fieldsOf(value)) inserted.set(field.name, field)
    else throw new FormatError(`an update has a part that is not known: ${name}`)
  }
  return { deleted, updated, inserted, inside }
}

function isArrayDiff([first]: readonly RawField[]): boolean {
  return first?.name === 'a' && isTrue(first)
}

function applyInside({ name, type, value }: RawField, diff: Buffer): Buffer {
  const isOfArray = isArrayDiff(fieldsOf(diff))
  if (type !== (isOfArray ? bsonType.array : bsonType.document))
    throw new FormatError(`an update does not fit its document: ${name} is of another type`)
  return isOfArray ? applyArrayDiff(value, diff) : applyDiff(value, diff)
}

const nothing = { type: bsonType.null, value: Buffer.alloc(0) }

function applyArrayDiff(array: Buffer, diff: Buffer): Buffer {
  const elements: Omit<RawField, 'name'>[] = fieldsOf(array)
  const extendTo = (length: number) => {
    while (elements.length < length) elements.push(nothing)
  }
  for (const { name, type, value } of fieldsOf(diff)) {
    const position = Number(name.slice(1))
    if (name === 'l') {
      elements.length = Math.min(elements.length, value.readInt32LE(0))
      extendTo(value.readInt32LE(0))
    } else if (name.startsWith('u')) {
      extendTo(position)
      elements[position] = { type, value }
    } else if (name.startsWith('s')) {
      const element = elements[position]
      if (element === undefined) throw new FormatError(`an update does not fit its array, which has no ${position}`)
      elements[position] = { ...element, value: applyInside({ ...element, name: String(position) }, value) }
    }
  }
  return arrayFrom(elements)
}
