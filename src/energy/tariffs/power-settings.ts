import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { quantity } from '../../core/fields.js'
import { currency, pricePerKwh } from './money-fields.js'

const deviceTypeFields = z.strictObject({
  type: z.string().min(1).max(50),
  name: z.string().min(1).max(200),
  /** What such a device takes while it is on. */
  powerConsumption: quantity(0, 1e6),
  unit: z.enum(['W', 'kW']).default('W'),
})

/** What electricity costs, and what kinds of devices take. There is one document, named `default`; a unique index keeps it so. */
export const powerSettingsEntity = defineEntity({
  name: 'power settings',
  collection: 'power_settings',
  fields: {
    name: z.literal('default').default('default'),
    /** Currency units per kWh. */
    electricityPrice: pricePerKwh(0, 100),
    /** ISO 4217. */
    currency: currency(),
    deviceTypes: z.array(deviceTypeFields).max(500).default([]),
    /** How often the settings were changed, counted from 1; kept by the library. */
    version: z.int().min(1).default(1),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the one document' }],
})

export type PowerSettings = Stored<typeof powerSettingsEntity>
export type PowerSettingsInput = Input<typeof powerSettingsEntity>
