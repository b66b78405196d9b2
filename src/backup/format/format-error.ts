/** Bytes that are not what the format of a backup says. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}
