import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { quantity } from '../core/fields.js'
import { isCurrency, isPrice } from '../metering/index.js'

/** What electricity costs. There is one document, named `default`; a unique index keeps it so. */
export const powerSettingsEntity = defineEntity({
  name: 'power settings',
  collection: 'power_settings',
  fields: {
    name: z.literal('default').default('default'),
    /** Currency units per kWh. */
    electricityPrice: quantity(0, 100).refine(isPrice, { error: 'expected at most six decimals' }),
    /** ISO 4217. */
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .refine(isCurrency, { error: 'expected the code of a currency' }),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the one document' }],
})

export type PowerSettings = Stored<typeof powerSettingsEntity>
export type PowerSettingsInput = Input<typeof powerSettingsEntity>
