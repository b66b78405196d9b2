import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { quantity } from '../../core/fields.js'
import { currency, pricePerKwh } from './money-fields.js'

const deviceTypeFields = z.strictObject({
  /** The type of device, such as `fan`. */
  type: z.string().min(1).max(50),
  /** The name by which it is shown. */
  name: z.string().min(1).max(200),
  /** What such a device takes while it is on. */
  powerConsumption: quantity(0, 1e6),
  /** The unit of the power. @default 'W' */
  unit: z.enum(['W', 'kW']).default('W'),
})

/**
 * Power settings: what electricity costs, and what kinds of devices take. There is one document, named `default`; a
 * unique index keeps it so.
 */
export const powerSettingsEntity = defineEntity({
  name: 'power settings',
  collection: 'power_settings',
  personal: 'none',
  fields: {
    /** The name by which it is shown. */
    name: z.literal('default').default('default'),
    /** Currency units per kWh. */
    electricityPrice: pricePerKwh(0, 100),
    /** ISO 4217. */
    currency: currency(),
    /** What devices of a type usually take. @default none */
    deviceTypes: z.array(deviceTypeFields).max(500).default([]),
    /** How often the settings were changed, counted from 1; kept by the library. */
    version: z.int().min(1).default(1),
  },
  managed: ['version'],
  indexes: [{ key: { name: 1 }, unique: true, serves: 'the one document' }],
})

export type PowerSettings = Stored<typeof powerSettingsEntity>
export type PowerSettingsInput = Input<typeof powerSettingsEntity>
