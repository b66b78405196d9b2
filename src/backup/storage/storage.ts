/** A file as a storage lists it. */
export interface StoredFile {
  /** With `/` between its parts, such as `autovolt_backup_.../school/devices.bson.gz`. */
  readonly path: string
  readonly bytes: number
  /** By the storage's own clock. */
  readonly modifiedAt: Date
}

/**
 * Where backups are kept. Any host can write one of its own. Whatever fails in it reaches the caller as a `DatabaseError`
 * `STORAGE` with the path.
 */
export interface BackupStorage {
  /** Names it in messages and logs; without credentials. */
  readonly name: string
  /**
   * Stores a file, in place of one that is there. It is there as a whole and durable when this resolves; if it rejects, or the
   * process dies, it is not there at all.
   */
  write(path: string, content: AsyncIterable<Uint8Array>): Promise<void>
  /** The content of a file. Throws if there is none, at the latest when it is iterated. */
  read(path: string): AsyncIterable<Uint8Array>
  /** The files whose paths begin so, in any order. */
  list(prefix: string): AsyncIterable<StoredFile>
  /** Removes a file. One that is not there is none to remove. */
  remove(path: string): Promise<void>
}
