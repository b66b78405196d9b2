import type { ObjectId } from 'mongodb'
import type { z } from 'zod'
import { type Page, pageOf } from '../../core/repository/page.js'
import { validateData } from '../../core/validate.js'
import { kwhFromMws } from '../../metering/index.js'
import { daysStages } from './daily-pipelines.js'
import {
  type DeviceUse,
  deviceEfficiencyOfDaysPipeline,
  deviceEfficiencyPipeline,
  monthsStages,
  type Part,
} from './monthly-pipelines.js'
import { wholeMonth } from './periods.js'
import { type DaysQuestion, daysQuestionSchema, type ParsedDays, pageSchema } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import type { Pipeline } from './stages.js'

/** Device efficiency: how a device used energy in a classroom. */
export interface DeviceEfficiency {
  readonly deviceId: ObjectId
  readonly deviceName: string
  readonly classroom: ObjectId
  /** kWh. */
  readonly totalEnergyKwh: number
  /** Hours in which energy flowed, those of its switches added up. */
  readonly totalDurationHours: number
  /** Switches that used or gave energy. */
  readonly uniqueSwitches: number
  /** W, over that time; null where there was none. */
  readonly averagePowerW: number | null
}

export const deviceEfficiencySchema = daysQuestionSchema.safeExtend(pageSchema.shape)
export type DeviceEfficiencyQuestion = z.input<typeof deviceEfficiencySchema>

export async function deviceEfficiency(reader: RollUpReader, question: DaysQuestion): Promise<DeviceEfficiency[]> {
  const scope = validateData(daysQuestionSchema, question, 'The question')
  return (await devicesByUse(reader, scope)).map(efficiencyOf)
}

export async function deviceEfficiencyPage(
  reader: RollUpReader,
  question: DeviceEfficiencyQuestion,
): Promise<Page<DeviceEfficiency>> {
  const { page, limit, ...scope } = validateData(deviceEfficiencySchema, question, 'The question')
  const [rows, total] = await Promise.all([
    devicesByUse(reader, scope, { skip: (page - 1) * limit, limit }),
    countDevices(reader, scope),
  ])
  return pageOf(rows.map(efficiencyOf), total, page, limit)
}

function devicesByUse(reader: RollUpReader, scope: ParsedDays, part?: Part): Promise<DeviceUse[]> {
  const month = wholeMonth(scope)
  if (month === undefined) return reader.daily(deviceEfficiencyOfDaysPipeline(scope, part))
  const { from, to, ...where } = scope
  return reader.monthly(deviceEfficiencyPipeline({ ...where, month }, part))
}

async function countDevices(reader: RollUpReader, scope: ParsedDays): Promise<number> {
  const month = wholeMonth(scope)
  const count = { $count: 'count' }
  const byDevice = { $group: { _id: { device: '$device_id', classroom: '$classroom' } } }
  const ofDays = (): Pipeline<{ count: number }> => [...daysStages(scope), byDevice, count]
  const ofMonth = (of: string): Pipeline<{ count: number }> => [...monthsStages({ ...scope, from: of, to: of }), count]
  const [row] = month === undefined ? await reader.daily(ofDays()) : await reader.monthly(ofMonth(month))
  return row?.count ?? 0
}

function efficiencyOf(use: DeviceUse): DeviceEfficiency {
  return {
    deviceId: use.device_id,
    deviceName: use.esp32_name,
    classroom: use.classroom,
    totalEnergyKwh: kwhFromMws(use.energy_mws),
    totalDurationHours: use.on_ms / 3_600_000,
    uniqueSwitches: use.switch_count,
    // mW·s by ms are W.
    averagePowerW: use.on_ms === 0 ? null : use.energy_mws / use.on_ms,
  }
}
