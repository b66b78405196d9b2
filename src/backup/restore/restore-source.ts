import type { Block } from '../format/bson-blocks.js'
import type { BackupCollection, BackupContent } from '../format/manifest.js'

/** What a restore takes the documents from: a backup, or a database that was restored beside. */
export interface RestoreSource {
  readonly content: Pick<BackupContent, 'id' | 'database' | 'serverVersion' | 'checkpoint' | 'collections'>
  /** The documents of a collection, in the same order each time. */
  documents(collection: BackupCollection): AsyncIterable<Block>
}
