import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'

/** The most chains of one place in the queue: a writer never has more under way at once. */
export const maximumChains = 3000

/**
 * A writer in the queue for chains that several processes append to. Of the writers that share a chain, the one that was created
 * first has its turn. Times are the database's own, so the clocks of the processes need not agree.
 */
export const writerQueueEntity = defineEntity({
  name: 'queued ledger writer',
  collection: 'ledger_writer_queue',
  personal: 'none',
  fields: {
    switchIds: z.array(objectId()).min(1).max(maximumChains),
    /** From then on it does not count, unless it was renewed. */
    expiresAt: z.date(),
  },
  indexes: [
    { key: { switchIds: 1 }, serves: 'the writers that wait for a chain' },
    { key: { expiresAt: 1 }, expireAfterSeconds: 60, serves: 'the removal of what killed writers have left' },
  ],
})

export type QueuedWriter = Stored<typeof writerQueueEntity>
