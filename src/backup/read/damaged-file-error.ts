import { DatabaseError } from '../../core/errors.js'

/** Bytes that are not those of the backup: which file, and what is wrong with it. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError'

  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path}: ${problem}`)
  }

  /** As it leaves the library. */
  get asDatabaseError(): DatabaseError {
    return new DatabaseError('BACKUP_DAMAGED', this.message)
  }
}
