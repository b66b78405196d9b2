import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { quantity } from '../../core/fields.js'
import { isPlainObject } from '../../core/is-record.js'
import { dependencyFields } from './dependencies.js'
import { isStoredData, storedTypes } from './stored-data.js'

/** The library's own types are `daily_consumption`, `monthly_trends`, `peak_hours`, `efficiency_report` and the like; hosts have theirs. */
export const cacheType = () => z.string().regex(/^[a-z][a-z0-9_]{0,63}$/)

const isStoredObject = (value: unknown) => isPlainObject(value) && isStoredData(value)

const isThere = (field: string) => ({ $ne: [{ $type: field }, 'missing'] })

/** A result that was computed, or is being computed just now by one process. */
export const cacheEntryEntity = defineEntity({
  name: 'cache entry',
  collection: 'analytics_cache',
  personal: {
    mentions: { in: ['cacheKey', 'parameters', 'dependsOn', 'data'], onErasure: 'delete document' },
    notPersonal: 'cacheType expiresAt lastUpdated computationTime dataSize claim'.split(' '),
  },
  fields: {
    /** What the question comes to as a key. */
    cacheKey: z.string().min(1).max(200),
    /** The kind of result, such as `daily_consumption`. */
    cacheType: cacheType(),
    /** What was asked. */
    parameters: z.custom<Readonly<Record<string, unknown>>>(isStoredObject).meta({ bsonType: 'object' }),
    /** The roll-ups that it is made of. */
    dependsOn: dependencyFields,
    /** Absent while it is computed, and where it is too large to be kept. */
    data: z
      .custom<unknown>(isStoredData)
      .meta({ bsonType: [...storedTypes] })
      .optional(),
    /** When the data expires, by the clock of the handle; when the claim does, by the clock of the database. */
    expiresAt: z.date(),
    /** When it was computed. */
    lastUpdated: z.date(),
    /** ms; how long the computation took. */
    computationTime: quantity(0, 1e12).optional(),
    /** Bytes of the data in BSON. */
    dataSize: z.int().min(0).optional(),
    /** Who computes it: a number drawn for this one computation. */
    claim: z
      .string()
      .regex(/^[0-9a-f-]{36}$/)
      .optional(),
  },
  rules: [
    {
      path: 'dataSize',
      message: 'what is not being computed has a size',
      check: ({ claim, dataSize }) => claim !== undefined || dataSize !== undefined,
      expression: { $or: [isThere('$claim'), isThere('$dataSize')] },
    },
    {
      path: 'claim',
      message: 'what is being computed has no data yet',
      check: ({ claim, data, dataSize }) => claim === undefined || (data === undefined && dataSize === undefined),
      expression: { $not: [{ $and: [isThere('$claim'), { $or: [isThere('$data'), isThere('$dataSize')] }] }] },
    },
    {
      path: 'dependsOn.toDay',
      message: 'expected a day not before the first',
      check: ({ dependsOn }) => {
        const { fromDay, toDay } = dependsOn as { fromDay: string; toDay: string }
        return fromDay <= toDay
      },
      expression: { $lte: ['$dependsOn.fromDay', '$dependsOn.toDay'] },
    },
  ],
  indexes: [
    { key: { cacheKey: 1 }, unique: true, serves: 'the entry of a key, and that one process computes it' },
    { key: { expiresAt: 1 }, expireAfterSeconds: 0, serves: 'the removal of what has expired' },
    { key: { 'dependsOn.toDay': 1, 'dependsOn.fromDay': 1 }, serves: 'the entries that changed roll-ups invalidate' },
  ],
})

export type CacheEntry = Stored<typeof cacheEntryEntity>
