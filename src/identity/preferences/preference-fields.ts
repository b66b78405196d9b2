import { z } from 'zod'
import { anyValue, quantity, timeOfDay } from '../../core/fields.js'

/** Names of values of the host's own: no operators, no dots. */
const namedValues = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

const label = () => z.string().min(1).max(200)
const flag = () => z.boolean().optional()
/** In columns and rows of the host's grid. */
const cells = (minimum: number) => z.int().min(minimum).max(1_000)

const widget = z.strictObject({
  /** Of the host's own, unique in its dashboard as far as the host keeps it so. */
  id: z.string().min(1).max(100),
  /** What it shows, in the host's words, such as `power_chart`. */
  type: z.string().min(1).max(100),
  title: label().optional(),
  position: z.strictObject({ x: cells(0), y: cells(0) }),
  size: z.strictObject({ width: cells(1), height: cells(1) }),
  settings: namedValues().optional(),
})

export const dashboards = () =>
  z
    .array(
      z.strictObject({
        id: z.string().min(1).max(100),
        name: label(),
        isDefault: flag(),
        widgets: z.array(widget).max(100),
        settings: namedValues().optional(),
      }),
    )
    .max(20)

/** A BCP 47 tag, such as `en` and `pt-BR`. */
export const languageTag = () => z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$/)

export const notificationPreferences = () =>
  z.strictObject({
    email: flag(),
    push: flag(),
    telegram: flag(),
    /** From the first time of day up to the second, in the user's time zone; over midnight where the second is earlier. */
    quietHours: z.strictObject({ from: timeOfDay(), to: timeOfDay() }).optional(),
  })

export const energyPreferences = () =>
  z.strictObject({
    /** ISO 4217. */
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .optional(),
    /** What energy is shown in; it is stored in Wh. */
    unit: z.enum(['Wh', 'kWh', 'MWh']).optional(),
    /** The name of a tariff. */
    tariff: z.string().min(1).max(100).optional(),
    dailyTargetWh: quantity(0, 1e12).optional(),
    monthlyTargetWh: quantity(0, 1e13).optional(),
    /** Of an energy market: takes offers from renewable sources alone. */
    renewableOnly: flag(),
    maxTradeDistanceKm: quantity(0, 20_100).optional(),
    priceAlerts: flag(),
    /** In `currency`. */
    maxPricePerKwh: quantity(0, 1e6).optional(),
  })

export const privacyPreferences = () =>
  z.strictObject({
    /** Whether others see how much energy the user takes or makes. */
    showsEnergy: flag(),
    /** Whether others find the user by name. */
    showsProfile: flag(),
    /** Whether what the user does may be counted to better the host's product. */
    allowsAnalytics: flag(),
  })

export const otherPreferences = namedValues
