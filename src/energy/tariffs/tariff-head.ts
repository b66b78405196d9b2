import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { currency } from './money-fields.js'

/**
 * What all versions of a tariff share. Each change of a version changes this document in the same transaction: so changes
 * of one tariff come one after the other, and its currency is decided once.
 */
export const tariffHeadEntity = defineEntity({
  name: 'tariff',
  collection: 'tariffs',
  personal: 'none',
  fields: {
    /** The name by which it is found. */
    name: z.string().min(1).max(100),
    /** ISO 4217; for ever. */
    currency: currency(),
    /** How often its versions have been changed: another number says that they are to be read again. */
    revision: z.int().min(1).default(1),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'a tariff by its name, which has one currency' }],
})

export type TariffHead = Stored<typeof tariffHeadEntity>
export type TariffHeadInput = Input<typeof tariffHeadEntity>
