/** A file that this version can say nothing about: it is no export, or of a later format. */
export class ExportError extends Error {
  override readonly name = 'ExportError'
}
