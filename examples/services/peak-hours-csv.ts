import { type AutoVolt, validateData } from '@autovolt/data'
import { z } from 'zod'

const querySchema = z.strictObject({ from: z.iso.date(), to: z.iso.date(), classroom: z.string().max(200).optional() })

/** The peak hours of some days as CSV; hours are those of each classroom's time zone. */
export async function peakHoursCsv(volt: AutoVolt, query: unknown): Promise<string> {
  const { classroom, ...days } = validateData(querySchema, query, 'The query')
  const hours = await volt.analytics.peakHours({ ...days, ...(classroom && { classrooms: [classroom] }) })
  const lines = hours.map(({ hour, totalEnergyKwh, switchCount }) => [hour, totalEnergyKwh, switchCount].join(','))
  return ['hour,energy_kwh,switches', ...lines, ''].join('\n')
}
