import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { currency, pricePerKwh } from './money-fields.js'

/** What electricity costs. There is one document, named `default`; a unique index keeps it so. */
export const powerSettingsEntity = defineEntity({
  name: 'power settings',
  collection: 'power_settings',
  fields: {
    name: z.literal('default').default('default'),
    /** Currency units per kWh. */
    electricityPrice: pricePerKwh(0, 100),
    /** ISO 4217. */
    currency: currency(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the one document' }],
})

export type PowerSettings = Stored<typeof powerSettingsEntity>
export type PowerSettingsInput = Input<typeof powerSettingsEntity>
