import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../core/entity.js'

/**
 * Which messages of an MQTT session a batch was made of, stored with the batch: a message without an identity of its own
 * that is delivered again is recognized by its packet id and digest.
 */
export const ingestWindowEntity = defineAppendOnlyEntity({
  name: 'ingest window',
  collection: 'ingest_windows',
  personal: 'none',
  fields: {
    /** The MQTT client id whose session it is. */
    session: z.string().min(1).max(200),
    /** The number of the batch in its session. */
    batch: z.int().min(1),
    /** Packet ids and digests, `id:digest` each, in order of receipt. */
    messages: z.array(z.string().max(40)).max(100_000),
    storedAt: z.date(),
  },
  shardKey: { session: 1 },
  indexes: [{ key: { session: 1, batch: 1 }, unique: true, serves: 'the last batches of a session, in order' }],
})

export type IngestWindow = Stored<typeof ingestWindowEntity>
