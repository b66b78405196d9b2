import type { Database, OperationGuard } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { restoreJournalEntity } from './restore-journal.js'

/** How long a process may believe what it has last read of the journal. */
const journalCheckMs = 2_000
/** After this every process has noticed a journal that was opened, unless it hangs. */
export const journalNoticeMs = 2.5 * journalCheckMs

/**
 * Refuses the operations of a handle while its database is being restored, and for good once it was: what the handle has
 * cached is then of another time.
 */
export function restoreGuard(database: Database, entity: typeof restoreJournalEntity): OperationGuard {
  const journals = database.sibling(database.connection.name).of(entity, { isDurable: true, isOutside: true })
  let validUntilMs = Number.NEGATIVE_INFINITY
  let timeline: string | null | undefined
  let pending: Promise<void> | undefined

  const check = async () => {
    const checkedMs = performance.now()
    const journal = await journals.findOne({ name: 'restore' }, { projection: { timeline: 1, phase: 1, backupId: 1 } })
    if (journal !== null && journal.phase !== 'closed')
      throw new DatabaseError(
        'RESTORING',
        `The database is being restored from ${journal.backupId}: if that was interrupted, restore again, and it goes on`,
        { retryable: true },
      )
    // A restore always leaves its journal: without one nothing was restored.
    const found = journal === null ? (timeline ?? null) : journal.timeline
    timeline = timeline === undefined ? found : timeline
    if (timeline !== found)
      throw new DatabaseError('RESTORING', 'The database was restored since this handle was opened: open a new one')
    validUntilMs = checkedMs + journalCheckMs
  }
  return () => {
    if (performance.now() < validUntilMs) return undefined
    pending ??= check().finally(() => {
      pending = undefined
    })
    return pending
  }
}
