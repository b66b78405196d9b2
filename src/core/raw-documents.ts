// Queries with `raw: true` find documents as the bytes that they are stored in. The driver's types do not say so.

export async function rawDocuments(cursor: { toArray(): Promise<unknown[]> }): Promise<Buffer[]> {
  return (await cursor.toArray()) as Buffer[]
}

/** The same, as they are consumed. */
export function rawIn(cursor: AsyncIterable<unknown>): AsyncIterable<Buffer> {
  return cursor as AsyncIterable<Buffer>
}
