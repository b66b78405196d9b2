import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import { type Costs, MoneyByCurrency, sumOf } from './amounts.js'
import type { DeviceLookup } from './device-lookup.js'
import { hourlyLoads, type Loads, powerOf } from './hourly-loads.js'
import { daysQuestionSchema } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import { quantile } from './statistics.js'

export const idleUseSchema = daysQuestionSchema.safeExtend({
  /** How far above its floor a load still counts as idle, percent. */
  tolerancePercent: z.number().min(0).max(100).default(10),
})
export type IdleUseQuestion = z.input<typeof idleUseSchema>

/**
 * Idle use: what a classroom uses while nothing is going on in it, which is what could be saved. `totalCost` is what it
 * cost.
 */
export interface IdleUse extends Costs {
  readonly classroom: ObjectId
  /** W: the load that nine tenths of the hours are above; null where none is known. */
  readonly floorPowerW: number | null
  /** Those that are known in full. */
  readonly hours: number
  /** Hours in which the load stays at the floor. */
  readonly idleHours: number
  /** kWh that flowed in those hours. */
  readonly idleEnergyKwh: number
  /** Of all that the classroom used in the hours that are known, 0 to 100; null where that is nothing. */
  readonly idlePercent: number | null
}

const floorShare = 0.1

export async function idleUse(
  reader: RollUpReader,
  lookup: DeviceLookup,
  question: IdleUseQuestion,
): Promise<IdleUse[]> {
  const { tolerancePercent, ...scope } = validateData(idleUseSchema, question, 'The question')
  const loads = await hourlyLoads(reader, lookup, scope, 'classroom')
  return loads.map((one) => idleUseOf(one, tolerancePercent)).sort((a, b) => b.idleEnergyKwh - a.idleEnergyKwh)
}

function idleUseOf({ id, byStart }: Loads, tolerancePercent: number): IdleUse {
  const hours = [...byStart.values()]
  const floorPowerW = hours.length === 0 ? null : Math.max(0, quantile(hours.map(powerOf), floorShare))
  const limit = (floorPowerW ?? 0) * (1 + tolerancePercent / 100)
  const idle = limit === 0 ? [] : hours.filter((hour) => powerOf(hour) <= limit)
  const energyMws = sumOf(hours, (hour) => hour.energyMws)
  const idleMws = sumOf(idle, (hour) => hour.energyMws)
  const costs = new MoneyByCurrency()
  for (const hour of idle) for (const [currency, numerator] of hour.costs) costs.add(currency, numerator)
  return {
    classroom: id,
    floorPowerW,
    hours: hours.length,
    idleHours: idle.length,
    idleEnergyKwh: kwhFromMws(idleMws),
    idlePercent: energyMws <= 0 ? null : (100 * idleMws) / energyMws,
    ...costs.costs,
  }
}
