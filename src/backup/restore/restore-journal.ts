import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'

/** A restore as it is written down: it can go on after a kill, and no process uses the database before it has ended. */
export const restoreJournalEntity = defineEntity({
  name: 'restore journal',
  collection: 'restore_journals',
  personal: 'none',
  fields: {
    /** There is one journal in a database. */
    name: z.literal('restore'),
    backupId: z.string().min(1).max(100),
    /** Made up by each restore: what was read, or cached, before it is of another time. */
    timeline: z.uuid(),
    mode: z.enum(['new', 'replace']),
    phase: z.enum(['loading', 'replaying', 'swapping', 'finishing', 'closed']),
    /** Up to where the slices of the oplog were replayed. */
    replayedTo: z.strictObject({ seconds: z.int().min(0), increment: z.int().min(0) }).optional(),
    collections: z
      .array(
        z.strictObject({
          /** Under which name it is restored. */
          name: z.string().min(1).max(255),
          /** How many documents are stored for certain, counted from the first. */
          documents: z.int().min(0),
          state: z.enum(['loading', 'loaded', 'swapped']),
        }),
      )
      .max(100_000),
    startedAt: z.date(),
    closedAt: z.date().optional(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the one journal' }],
})

export type RestoreJournal = Stored<typeof restoreJournalEntity>
export type JournalCollection = RestoreJournal['collections'][number]
