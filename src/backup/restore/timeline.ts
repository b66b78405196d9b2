import type { Database } from '../../core/database.js'
import type { restoreJournalEntity } from './restore-journal.js'

/** Of a database that was never restored. */
const firstTimeline = 'first'

/**
 * Which history of the database this is: each restore begins another.
 * @throws DatabaseError `RESTORING` while it is being restored.
 */
export async function timelineOf(database: Database, journals: typeof restoreJournalEntity): Promise<string> {
  const journal = await database.of(journals, { isDurable: true, isOutside: true }).findOne({ name: 'restore' })
  return journal?.timeline ?? firstTimeline
}
