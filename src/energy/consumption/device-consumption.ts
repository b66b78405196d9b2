import { z } from 'zod'
import { defineEntity, type EntityRule, type Stored } from '../../core/entity.js'
import { instant, objectId, quantity } from '../../core/fields.js'
import { currency, pricePerKwh } from '../tariffs/money-fields.js'
import {
  costAgrees,
  costOfEnergy,
  difference,
  divided,
  energyAgrees,
  energyOf,
  field,
  isAtMost,
  isBefore,
  isSame,
} from './agreement.js'

/** Wh; an interval has no more. */
const largestIntervalWh = 100_000
const mwsPerWh = 3_600_000
export const largestIntervalMws = largestIntervalWh * mwsPerWh
/** Decimals of a cost that is only a part of a sum. */
export const costDigits = 6
/** Wh; what rounding to whole milliwatt-seconds can make, and a little. */
const halfMwsInWh = 1.5e-7

const costFields = z.strictObject({
  /** Currency units, taxes included; negative at times. */
  cost_per_kwh: pricePerKwh(-1e9, 1e9),
  /** Currency units, rounded half-even to six decimals: the exact cost is `energy_mws` at `cost_per_kwh`. */
  amount: quantity(-1e12, 1e12).optional(),
  /** An ISO 4217 code, such as `INR`. */
  currency: currency().optional(),
  /** The version of the tariff that the price is from. */
  cost_version: objectId().optional(),
  /** Rupees: what documents from before the library have in place of an amount. */
  cost_inr: quantity(-1e12, 1e12).optional(),
})

const qualityFields = z.strictObject({
  /** `high` where the energy was measured, or rated with signs of life; `low` where it is an estimate. */
  confidence: z.enum(['high', 'medium', 'low']),
  /** A relay's state and its load's rating, readings of a meter, or somebody's word. */
  data_source: z.enum(['power_tracker', 'telemetry', 'manual']),
  /** What a person wrote about it; at most 4,000 characters. */
  notes: z.string().min(1).max(4000).optional(),
})

/** The entries at which it begins and ends, by their time. Others between them may have come late, with higher numbers. */
const entryFields = z.strictObject({
  /** The first entry of the chain that it rests on. */
  first_sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** The last entry of the chain that it rests on. */
  last_sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
})

type Fields = Readonly<Record<string, unknown>>

const isMissing = (path: string) => ({ $eq: [{ $type: `$${path}` }, 'missing'] })

const hasAmount: EntityRule = {
  path: 'cost_calculation.amount',
  message: 'a cost has an amount, or the old cost_inr',
  check: ({ cost_calculation }) => {
    if (cost_calculation === undefined) return true
    const { amount, cost_inr } = cost_calculation as Fields
    return amount !== undefined || cost_inr !== undefined
  },
  expression: {
    $or: [
      isMissing('cost_calculation'),
      { $not: [isMissing('cost_calculation.amount')] },
      { $not: [isMissing('cost_calculation.cost_inr')] },
    ],
  },
}

const hasCurrency: EntityRule = {
  path: 'cost_calculation.currency',
  message: 'an amount has a currency',
  check: ({ cost_calculation }) => {
    const { amount, currency } = Object(cost_calculation) as Fields
    return amount === undefined || currency !== undefined
  },
  expression: {
    $or: [isMissing('cost_calculation.amount'), { $not: [isMissing('cost_calculation.currency')] }],
  },
}

const refersToEntries: EntityRule = {
  path: 'ledger_entries',
  message: 'what is derived from the ledger names its entries, and nothing else does',
  check: ({ origin, ledger_entries }) => (origin === 'ledger') === (ledger_entries !== undefined),
  expression: { $eq: [{ $eq: ['$origin', 'ledger'] }, { $eq: [{ $type: '$ledger_entries' }, 'object'] }] },
}

const isMarkedAsManual: EntityRule = {
  path: 'quality.data_source',
  message: 'an interval of manual origin has a manual data_source, and no other has',
  check: ({ origin, quality }) => (origin === 'manual') === (Object(quality).data_source === 'manual'),
  expression: { $eq: [{ $eq: ['$origin', 'manual'] }, { $eq: ['$quality.data_source', 'manual'] }] },
}

const onTime = field('switch_on_duration_seconds')
const span = divided(difference(field('start_ts'), field('end_ts')), 1000)
const energy = field('delta_wh')
const expectedCost = costOfEnergy(energy, field('cost_calculation.cost_per_kwh'))

/**
 * An interval of what a switch has consumed: derived from the ledger, or written down by hand. Documents from before the
 * library, which have no origin, stay readable and open to changes, also where they do not fit.
 */
export const deviceConsumptionEntity = defineEntity({
  name: 'device consumption',
  collection: 'device_consumption_ledger',
  personal: {
    mentions: { in: ['esp32_name', 'switch_name'], onErasure: 'replace' },
    notPersonal: (
      'origin device_id classroom switch_id switch_type start_ts end_ts switch_on_duration_seconds delta_wh ' +
      'energy_mws production_mws power_w cost_calculation quality ledger_entries'
    ).split(' '),
  },
  validationLevel: 'moderate',
  fields: {
    /** Where it comes from; derived intervals belong to the library, which replaces and removes them. */
    origin: z.enum(['ledger', 'manual']),
    /** The device that used the energy. */
    device_id: objectId(),
    /** The name that the device had then. */
    esp32_name: z.string().max(200),
    /** The classroom that it was in then. */
    classroom: objectId(),
    /** The switch that used the energy. */
    switch_id: objectId(),
    /** The name that the switch had then. */
    switch_name: z.string().max(200),
    /** The type of its load, such as `light`. */
    switch_type: z.string().min(1).max(50).optional(),
    /** When the interval began. */
    start_ts: instant(),
    /** When the interval ended; it is not part of it. */
    end_ts: instant(),
    /** Time between start and end in which energy was consumed. */
    switch_on_duration_seconds: quantity(0, 86_400),
    /** Wh; `energy_mws` to be shown: do not add these up. */
    delta_wh: quantity(0, largestIntervalWh),
    /** Whole milliwatt-seconds, which add up to what the ledger says. */
    energy_mws: z.int().min(0).max(largestIntervalMws),
    /** Whole milliwatt-seconds that were fed back. */
    production_mws: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
    /** W; the mean over the time that it was on. */
    power_w: quantity(0, 1e10),
    /** Absent where no price was in force. */
    cost_calculation: costFields.optional(),
    /** How much of it was measured, and how sure we are. */
    quality: qualityFields,
    /** The entries of the ledger that it was derived from. */
    ledger_entries: entryFields.optional(),
  },
  rules: [
    isBefore('end_ts', 'does not end after it starts', field('start_ts'), field('end_ts')),
    isAtMost('switch_on_duration_seconds', 'is longer than from start to end', onTime, span, 1),
    isSame('energy_mws', 'is not delta_wh', divided(field('energy_mws'), mwsPerWh), energy, halfMwsInWh),
    energyAgrees('delta_wh', energy, energyOf(field('power_w'), onTime)),
    hasAmount,
    hasCurrency,
    costAgrees('cost_calculation.amount', field('cost_calculation.amount'), expectedCost),
    costAgrees('cost_calculation.cost_inr', field('cost_calculation.cost_inr'), expectedCost),
    refersToEntries,
    isMarkedAsManual,
  ],
  shardKey: { switch_id: 1 },
  indexes: [
    {
      key: { switch_id: 1, start_ts: 1, origin: 1 },
      unique: true,
      // Documents from before the library have no origin, and may start at one time.
      partialFilterExpression: { origin: { $exists: true } },
      serves: 'the intervals of a switch by time, one of each origin per start',
    },
    { key: { device_id: 1, start_ts: -1, _id: -1 }, serves: 'what a device has consumed, newest first' },
  ],
})

export type DeviceConsumption = Stored<typeof deviceConsumptionEntity>
