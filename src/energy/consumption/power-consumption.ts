import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { instant, objectId, quantity } from '../../core/fields.js'
import { validateData } from '../../core/validate.js'
import { costOf, mwsFromWh, roundMoney } from '../../metering/index.js'
import { pricePerKwh } from '../tariffs/money-fields.js'
import {
  agrees,
  costAgrees,
  costOfEnergy,
  difference,
  divided,
  energyAgrees,
  energyOf,
  field,
  isAtMost,
} from './agreement.js'

const hourMs = 3_600_000
/** Decimals of a cost that is only a part of a sum. */
const costDigits = 6

interface IntervalValues {
  readonly duration: number
  readonly energyConsumed: number
  readonly ratePerKwh: number
}

/** Power consumption methods: what Mongoose documents of {@link powerConsumptionEntity} have besides their fields. */
export interface PowerConsumptionMethods {
  readonly durationHours: number
  /**
   * What the energy costs, in currency units, at this price per kWh or the document's own. It changes nothing.
   * @throws ValidationError where there is no such number, as in documents from before the library.
   */
  calculateCost(ratePerKwh?: number): number
}

const pricedSchema = z.object({
  /** kWh. */
  energyConsumed: quantity(-1e9, 1e9),
  /** The price of a kWh, in the currency’s units. */
  ratePerKwh: quantity(-1e6, 1e6),
})

/**
 * A stretch of consumption as hosts have kept it before there was a ledger. What is in their databases stays readable, and
 * open to changes, also where its numbers disagree; new documents must agree.
 */
export const powerConsumptionEntity = defineEntity({
  name: 'power consumption',
  collection: 'power_consumption',
  personal: {
    mentions: { in: ['notes'], onErasure: 'replace' },
    notPersonal: (
      'deviceId switchId classroom startTime endTime duration powerRating energyConsumed cost ratePerKwh ' +
      'manualEntry'
    ).split(' '),
  },
  validationLevel: 'moderate',
  fields: {
    /** The device that it is of. */
    deviceId: objectId(),
    /** The switch that it is of. */
    switchId: objectId().optional(),
    /** The classroom that it was in then. */
    classroom: objectId().optional(),
    /** When it began. */
    startTime: instant(),
    /** When it ended. */
    endTime: instant(),
    /** ms */
    duration: z.int().min(0).max(1e12),
    /** W */
    powerRating: quantity(0, 1e6),
    /** Wh */
    energyConsumed: quantity(0, 1e9),
    /** Currency units. */
    cost: quantity(0, 1e9),
    /** Currency units per kWh. */
    ratePerKwh: pricePerKwh(0, 1e6),
    /** Whether somebody has written it down. */
    manualEntry: z.boolean().default(false),
    /** What a person wrote about it; at most 4,000 characters. */
    notes: z.string().min(1).max(4000).optional(),
  },
  rules: [
    isAtMost('endTime', 'ends before it starts', field('startTime'), field('endTime'), 0),
    agrees(
      'duration',
      'the duration is not that from start to end',
      field('duration'),
      difference(field('startTime'), field('endTime')),
      1000,
    ),
    energyAgrees(
      'energyConsumed',
      field('energyConsumed'),
      energyOf(field('powerRating'), divided(field('duration'), 1000)),
    ),
    costAgrees('cost', field('cost'), costOfEnergy(field('energyConsumed'), field('ratePerKwh'))),
  ],
  virtuals: { durationHours: ({ duration }: IntervalValues) => duration / hourMs },
  methods: {
    calculateCost(this: IntervalValues, rate = this.ratePerKwh): number {
      const given = { energyConsumed: this.energyConsumed, ratePerKwh: rate }
      const { energyConsumed, ratePerKwh } = validateData(pricedSchema, given, 'What is to be priced')
      // Rates from before the library may have any number of decimals.
      const price = Math.round(ratePerKwh * 1e6) / 1e6
      return roundMoney(costOf(mwsFromWh(energyConsumed), price), costDigits)
    },
  },
  shardKey: { deviceId: 1 },
  indexes: [{ key: { deviceId: 1, startTime: -1, _id: -1 }, serves: 'what a device has consumed, newest first' }],
})

export type PowerConsumption = Stored<typeof powerConsumptionEntity>
export type PowerConsumptionInput = Input<typeof powerConsumptionEntity>
