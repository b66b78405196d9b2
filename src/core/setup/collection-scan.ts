/** Reading a whole collection may last longer than any reply. The driver knows the option for a single operation too. */
export const wholeScan: { readonly socketTimeoutMS: number; readonly readPreference: 'primary' } = {
  socketTimeoutMS: 0,
  readPreference: 'primary',
}

const longestId = 60

/** The ids of documents as a text; ids from before the library can be of any type. */
export function listIds(ids: readonly unknown[]): string {
  return ids.map((id) => String(id).slice(0, longestId)).join(', ')
}

/** A count that was not gone on with past its maximum. */
export function atMost(count: number, maximum: number): string {
  return count > maximum ? `more than ${maximum}` : String(count)
}
