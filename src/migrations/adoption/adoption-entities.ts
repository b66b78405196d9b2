import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { anyValue, objectId, quantity } from '../../core/fields.js'

/** Where a document of the origin is. */
const origin = {
  /** The database. */
  originDatabase: z.string().min(1).max(64),
  originCollection: z.string().min(1).max(255),
  /** The `_id` of the document, as its text; in quotes where the text could be taken for an id of another type, as `"5"`. */
  originId: z.string().max(1100),
}
const key = { originDatabase: 1, originCollection: 1, originId: 1 } as const

/**
 * What a person has to look at: each document of the origin that was not adopted, whole, and what was not taken of one that was.
 * Secrets are in none of them.
 */
export const adoptionRejectEntity = defineEntity({
  name: 'adoption reject',
  collection: 'adoption_rejects',
  personal: {
    mentions: { in: ['reason', 'document'], onErasure: 'delete document' },
    notPersonal: [...Object.keys(origin), 'kind', 'runAt'],
  },
  fields: {
    ...origin,
    /** What kind it is. */
    kind: z.enum(['left', 'noted']),
    /** Why it could not be used. */
    reason: z.string().min(1).max(2000),
    /** The document, without secrets. */
    document: anyValue(),
    /** The run that found it last. */
    runAt: z.date(),
  },
  indexes: [
    { key, unique: true, serves: 'what was found about a document' },
    { key: { originDatabase: 1, runAt: 1 }, serves: 'what a later run did not find any more' },
  ],
})

export type AdoptionReject = Stored<typeof adoptionRejectEntity>

/**
 * Documents of the origin as it has them, for hosts to read: what adopted ones had besides the fields that have a counterpart, and
 * those that the library has no place for yet, such as roles and schedules. Secrets are in none of them.
 */
export const adoptionExtraEntity = defineEntity({
  name: 'adoption extra',
  collection: 'adoption_extras',
  personal: {
    subjects: { adoptedId: { onErasure: 'delete document' } },
    mentions: { in: ['document', 'aliases'], onErasure: 'delete document' },
  },
  fields: {
    ...origin,
    /** The document as the origin has it, without secrets. */
    document: anyValue(),
    /** The id that it has here; absent where it has no place of its own. */
    adoptedId: objectId().optional(),
    /** Of a device: under which ids and names the origin has had its switches, which change there. */
    aliases: z
      .array(
        z.strictObject({
          /** The switch that it is of. */
          switchId: objectId(),
          /** The id in the origin database. */
          originId: z.string().max(1100),
          /** The name by which it is found. */
          name: z.string().max(200),
        }),
      )
      .max(100_000)
      .optional(),
    /** Of a document that names a room: the room's id here. */
    classroom: objectId().optional(),
    /** What was made of it, as a hash: another one means that it has changed in the origin. */
    digest: z.string().length(64).optional(),
    /** The `__v` that adoption has left it with here: another one means that it was changed here. */
    version: z.int().min(0).optional(),
  },
  indexes: [
    { key, unique: true, serves: 'what a document of the origin had' },
    {
      key: { adoptedId: 1 },
      partialFilterExpression: { adoptedId: { $exists: true } },
      serves: 'what a document of ours was in the origin',
    },
  ],
})

export type AdoptionExtra = Stored<typeof adoptionExtraEntity>

/** Adoption day: what the origin says of a day or a month, and what we do. */
export const adoptionDayEntity = defineEntity({
  name: 'adoption day',
  collection: 'adoption_days',
  personal: 'none',
  fields: {
    /** The database that it came from. */
    originDatabase: z.string().min(1).max(64),
    /** Whose energy: of a switch by the logs of the origin, or of a device by what the origin summed up. */
    subject: z.enum(['switch', 'device']),
    /** The device or user that it is about. */
    subjectId: objectId(),
    /** A civil day, YYYY-MM-DD, or month, YYYY-MM, in the time zone of the adoption. */
    period: z.string().regex(/^\d{4}-\d\d(-\d\d)?$/),
    /** The collection that it came from. */
    originCollection: z.string().min(1).max(255),
    /** Wh; what the origin says. */
    originWh: quantity(-1e12, 1e12),
    /** Wh; what the ledger says of a switch, or what is made of the logs of the device. */
    energyWh: quantity(-1e12, 1e12),
    /** Currency units; of a switch, at the prices that were in force. */
    originCost: quantity(-1e12, 1e12).optional(),
    /** The cost, in the currency’s units. */
    cost: quantity(-1e12, 1e12).optional(),
    /** Whether both sides agree. */
    isSame: z.boolean(),
    /** The run that found it last. */
    runAt: z.date(),
  },
  indexes: [
    {
      key: { originDatabase: 1, subjectId: 1, period: 1, originCollection: 1 },
      unique: true,
      serves: 'the figures of a switch or device on a day',
    },
    { key: { originDatabase: 1, isSame: 1, period: 1 }, serves: 'the days on which both differ' },
    { key: { originDatabase: 1, runAt: 1 }, serves: 'what a later run did not find any more' },
  ],
})

export type AdoptionDay = Stored<typeof adoptionDayEntity>
