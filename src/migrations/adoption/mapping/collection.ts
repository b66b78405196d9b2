import type { CollectionMapping } from './mapping.js'

/** What becomes of each field; `id as _id` is for a field of another name in the public versions. */
type Becoming = Readonly<Record<string, string>>

/** A collection whose name and fields are where the public versions have them. */
export function collection(
  from: string,
  becomes: string,
  fields: Becoming = {},
  values?: CollectionMapping['values'],
): readonly [string, CollectionMapping] {
  const mapped = Object.entries(fields).map(([given, target]) => {
    const [name = given, field = name] = given.split(' as ')
    return [field, { from: name, becomes: target }]
  })
  return [from, { from, becomes, fields: Object.fromEntries(mapped), ...(values === undefined ? {} : { values }) }]
}
