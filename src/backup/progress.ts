/** Backup progress: how far a backup, its verification or its restore is. */
export interface BackupProgress {
  readonly phase: 'reading' | 'verifying' | 'loading' | 'comparing' | 'replaying' | 'indexing' | 'finishing'
  /** The collection or file that is worked on. */
  readonly name: string
  /** Documents so far, of all collections. */
  readonly documents: number
  /** Bytes so far, of all collections. */
  readonly bytes: number
  /** How many bytes there will be; null where nobody knows. */
  readonly totalBytes: number | null
}

export type OnProgress = (progress: BackupProgress) => void
