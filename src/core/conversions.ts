/** How documents are read and written, whatever a borrowed connection was opened with. */
export const conversions = {
  ignoreUndefined: true,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
  serializeFunctions: false,
  raw: false,
}
