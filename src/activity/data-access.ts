import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { objectId } from '../core/fields.js'

const accessesExpireAfterSeconds = 31_536_000

/**
 * Who has read documents about whom, in an hour: names of fields, and never a value.
 * @param expireAfterSeconds How long records are kept; null for ever.
 */
export function dataAccessEntityOf(expireAfterSeconds: number | null) {
  const expiry = expireAfterSeconds === null ? {} : { expireAfterSeconds }
  return defineEntity({
    name: 'data access',
    collection: 'data_accesses',
    personal: {
      subjects: { subject: { onErasure: 'delete document' }, reader: { onErasure: 'anonymise' } },
      notPersonal: ['entity', 'hour', 'fields', 'documents', 'firstAt', 'lastAt'],
    },
    fields: {
      /** The person whom the documents are about. */
      subject: objectId(),
      /** The user who has read them. */
      reader: objectId(),
      /** What the entity is called, such as `device`. */
      entity: z.string().min(1).max(100),
      /** The hour, in UTC, in which they were read. */
      hour: z.date(),
      /** The personal fields that were in what was read. */
      fields: z.array(z.string().max(200)).max(1000),
      /** How many documents were read; one that was read in several batches counts in each. */
      documents: z.int().min(1),
      /** When they were read first in this hour. */
      firstAt: z.date(),
      /** When they were read last in this hour. */
      lastAt: z.date(),
    },
    indexes: [
      {
        key: { subject: 1, hour: -1, reader: 1, entity: 1 },
        unique: true,
        serves: 'who has read about a person, newest first; one record for each hour, reader and entity',
      },
      { key: { reader: 1, hour: -1 }, serves: 'what somebody has read' },
      { key: { lastAt: 1 }, ...expiry, serves: 'how long records are kept' },
    ],
  })
}

export const dataAccessEntity = dataAccessEntityOf(accessesExpireAfterSeconds)

export type DataAccess = Stored<typeof dataAccessEntity>

const hourMs = 3_600_000

/** The hour, in UTC, that an instant is in. */
export function hourOf(instant: Date): Date {
  return new Date(Math.floor(instant.getTime() / hourMs) * hourMs)
}
