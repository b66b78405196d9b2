import { z } from 'zod'
import { quantity } from '../../core/fields.js'
import { isCurrency, isPrice } from '../../metering/index.js'

/** Currency units per kWh; at most six decimals, so that costs are exact. */
export const pricePerKwh = (minimum: number, maximum: number) =>
  quantity(minimum, maximum).refine(isPrice, { error: 'expected at most six decimals' })

/** The code of an ISO 4217 currency. */
export const currency = () =>
  z
    .string()
    .regex(/^[A-Z]{3}$/)
    .refine(isCurrency, { error: 'expected the code of a currency' })
