import { z } from 'zod'
import { decimal128, objectId, quantity } from '../../core/fields.js'

/** Whole milliwatt-seconds; negative only where more was taken away by hand than was there. */
export const energyMws = () => z.int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)

/** Whole milliseconds of no more than a month. */
export const durationMs = () =>
  z
    .int()
    .min(0)
    .max(32 * 86_400_000)

/** What some energy comes to. */
export const totals = {
  /** Consumption. */
  energy_mws: energyMws(),
  production_mws: energyMws(),
  /** How long energy flowed. */
  on_ms: durationMs(),
  measured_ms: durationMs(),
  estimated_ms: durationMs(),
  missing_ms: durationMs(),
  /** 3.6·10¹⁵ths of the currency's unit: exact, see `Money`. */
  cost_exact: decimal128(),
  /** What production has brought, in the same unit. */
  earnings_exact: decimal128(),
  /** 3.6·10¹⁵ths of a gram of CO2. */
  carbon_exact: decimal128(),
}

/** Several switches together: their times add up. */
export const sharedTotals = {
  ...totals,
  on_ms: z.int().min(0),
  measured_ms: z.int().min(0),
  estimated_ms: z.int().min(0),
  missing_ms: z.int().min(0),
}

/** Whose energy it is, and under which rules it was computed. */
export const deviceAndClassroom = {
  device_id: objectId(),
  esp32_name: z.string().max(200),
  classroom: objectId(),
  /** The IANA zone of its days and hours. */
  time_zone: z.string().min(1).max(64),
  tariff: z.string().min(1).max(100),
}

/** What is made of the exact numbers when a document is written, to be read as it is. */
export const shown = {
  total_kwh: z.number(),
  production_kwh: z.number(),
  on_time_sec: quantity(0, 1e12),
  /** Rounded half-even to the currency's digits. */
  cost_at_calc_time: z.number(),
  /** Cost by kWh; null where there was none, or no price. */
  cost_per_kwh_used: z.number().nullable(),
  /** ISO 4217; null where no version of the tariff was in force. */
  currency: z.string().length(3).nullable(),
  /** The versions of the tariff that prices were taken from, in the order of time. */
  cost_versions: z.array(objectId()).max(1000),
  /** Switches that used or gave energy. */
  switch_count: z.int().min(0).max(1000),
  /** The measured share of the time that it claims to cover, 0 to 100. */
  quality_score: quantity(0, 100),
  confidence: z.enum(['high', 'medium', 'low']),
}
