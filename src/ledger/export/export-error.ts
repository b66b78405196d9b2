/** A file that this version cannot tell anything of: it is no export, or of a later format. */
export class ExportError extends Error {
  override readonly name = 'ExportError'
}
