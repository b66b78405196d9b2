/** The fields of a document that an update by operators changes. */
export function changedFields(update: object): string[] {
  const paths = Object.values(update).flatMap((operands: object) => Object.keys(operands))
  return paths.map((path) => path.split('.')[0] ?? path)
}

/** The fields of documents that are there which one write of a bulk write changes. */
export function fieldsOfWrite(write: object): string[] {
  if ('delete' in write) return ['deletedAt']
  return 'by' in write ? changedFields(Object(write.by)) : []
}
