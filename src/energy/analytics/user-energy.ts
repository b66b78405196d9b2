import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { objectId } from '../../core/fields.js'
import { where } from '../../core/repository/conditions.js'
import type { Page } from '../../core/repository/page.js'
import type { Reader } from '../../core/repository/reader.js'
import { validateData } from '../../core/validate.js'
import type { User } from '../../identity/user.js'
import { kwhFromMws } from '../../metering/index.js'
import { dayRangeSchema } from '../day-range.js'
import { type Costs, groupBy, sumOf } from './amounts.js'
import { consumersPipeline } from './daily-pipelines.js'
import { DayHours, dayHoursPipeline } from './day-hours.js'
import type { DeviceLookup } from './device-lookup.js'
import { lastDays, pageSchema } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import { totalsOf } from './totals.js'

export const energyBalanceSchema = z.strictObject({
  /** The user, by their id. */
  user: objectId(),
  ...lastDays(30),
})
export type EnergyBalanceQuestion = z.input<typeof energyBalanceSchema>

/** Energy balance: what a user's devices used and gave. */
export interface EnergyBalance {
  readonly userId: ObjectId
  readonly from: string
  readonly to: string
  /** kWh. */
  readonly consumptionKwh: number
  /** kWh. */
  readonly productionKwh: number
  /** kWh given beyond what was used; negative where more was used. */
  readonly netKwh: number
  /** The share of the consumption that own production met in the same hour, 0 to 100; null where nothing was used. */
  readonly selfSufficiencyPercent: number | null
}

export const userSummariesSchema = dayRangeSchema.safeExtend({
  users: z.array(objectId()).min(1).max(1000).optional(),
  ...pageSchema.shape,
})
export type UserSummariesQuestion = z.input<typeof userSummariesSchema>

/** A user with what their devices used and gave. */
export interface UserEnergySummary extends Costs {
  readonly userId: ObjectId
  readonly email: string
  readonly name: string
  readonly userType: User['userType']
  /** Those that are not deleted; what was used and given is that of all. */
  readonly devices: number
  /** kWh. */
  readonly totalConsumptionKwh: number
  /** kWh. */
  readonly totalProductionKwh: number
  /** kWh given beyond what was used; negative where more was used. */
  readonly netKwh: number
}

export async function energyBalance(
  reader: RollUpReader,
  lookup: DeviceLookup,
  question: EnergyBalanceQuestion,
): Promise<EnergyBalance> {
  const { user, ...last } = validateData(energyBalanceSchema, question, 'The question')
  const owned = await lookup.ownedBy([user])
  const zones =
    owned.length === 0 ? new Set<string>() : await lookup.timeZones(owned.flatMap(({ classroom }) => classroom ?? []))
  const range = lookup.rangeOf(last, zones)
  let [consumedMws, producedMws] = [0, 0]
  const byHour = new Map<number, { used: number; given: number }>()
  if (owned.length > 0) {
    const scope = { ...range, classrooms: undefined, devices: owned.map(({ _id }) => _id) }
    const hours = new DayHours()
    for await (const day of reader.dailyStream(dayHoursPipeline(scope))) {
      consumedMws += day.energy_mws
      producedMws += day.production_mws
      for (const { hour, energyMws, productionMws } of hours.switchHours(day)) {
        const sums = byHour.get(hour.startMs) ?? { used: 0, given: 0 }
        sums.used += energyMws
        sums.given += productionMws
        byHour.set(hour.startMs, sums)
      }
    }
  }
  const metMws = sumOf([...byHour.values()], ({ used, given }) => Math.max(0, Math.min(used, given)))
  return {
    userId: user,
    ...range,
    consumptionKwh: kwhFromMws(consumedMws),
    productionKwh: kwhFromMws(producedMws),
    netKwh: kwhFromMws(producedMws - consumedMws),
    selfSufficiencyPercent: consumedMws <= 0 ? null : Math.min(100, (100 * metMws) / consumedMws),
  }
}

export async function userEnergySummaries(
  reader: RollUpReader,
  lookup: DeviceLookup,
  users: Reader<User>,
  question: UserSummariesQuestion,
): Promise<Page<UserEnergySummary>> {
  const { from, to, users: ids, page, limit } = validateData(userSummariesSchema, question, 'The question')
  const filter = ids === undefined ? {} : { _id: where.in(ids) }
  const found = await users.page(filter, { page, limit, sort: { _id: 1 } })
  const owned = await lookup.ownedBy(found.items.map(({ _id }) => _id))
  const ownerOf = new Map(owned.map(({ _id, owner }) => [_id.toHexString(), owner?.toHexString() ?? '']))
  const devices = owned.map(({ _id }) => _id)
  const scope = { from, to, classrooms: undefined, devices }
  const rows = devices.length === 0 ? [] : await reader.daily(consumersPipeline(scope, 'device_id'))
  const byOwner = groupBy(rows, ({ key }) => ownerOf.get(key.toHexString()) ?? '')
  const items = found.items.map(({ _id, email, name, userType }) => {
    const own = byOwner.get(_id.toHexString()) ?? []
    const { totalEnergyKwh, totalProductionKwh, totalCost, currency, costs } = totalsOf(own)
    return {
      userId: _id,
      email,
      name,
      userType,
      devices: owned.filter(({ owner, deletedAt }) => deletedAt === null && owner?.equals(_id)).length,
      totalConsumptionKwh: totalEnergyKwh,
      totalProductionKwh,
      netKwh: kwhFromMws(sumOf(own, (row) => row.production_mws - row.energy_mws)),
      totalCost,
      currency,
      costs,
    }
  })
  return { ...found, items }
}
