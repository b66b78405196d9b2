import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { DayHours, type DayWithHours, dayHoursPipeline } from './day-hours.js'
import { daysQuestionSchema } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'

export const lineProtocolSchema = daysQuestionSchema.safeExtend({
  /** As the protocol has it: not blank, no comment, and no backslash at its end, which would escape what follows. */
  measurement: z
    .string()
    .max(100)
    .regex(/^(?!#).*[^\s\\]\s*$/s, {
      error: 'expected a name that is not blank, begins with no # and ends in no backslash',
    })
    .default('energy'),
})
export type LineProtocolQuestion = z.input<typeof lineProtocolSchema>

/**
 * Lines of InfluxDB's line protocol, one for each switch and hour in which anything was, with time stamps in nanoseconds.
 * Each chunk has the lines of a device's day.
 */
export async function* lineProtocol(
  reader: RollUpReader,
  question: LineProtocolQuestion,
): AsyncGenerator<string, void, undefined> {
  const { measurement, ...scope } = validateData(lineProtocolSchema, question, 'The question')
  const hours = new DayHours()
  for await (const day of reader.dailyStream(dayHoursPipeline(scope))) {
    const lines = linesOf(day, hours, measurement)
    if (lines !== '') yield lines
  }
}

function linesOf(day: DayWithHours, hours: DayHours, measurement: string): string {
  const names = new Map(day.switch_breakdown.map((one) => [one.switch_id.toHexString(), one.switch_name]))
  let lines = ''
  for (const { hour, switchId, energyMws, productionMws } of hours.switchHours(day)) {
    const id = switchId.toHexString()
    lines += lineOf(
      measurement,
      {
        classroom: day.classroom.toHexString(),
        device: day.device_id.toHexString(),
        device_name: day.esp32_name,
        switch: id,
        switch_name: names.get(id) ?? '',
      },
      {
        energy_mws: `${energyMws}i`,
        mean_power_w: String(energyMws / (hour.endMs - hour.startMs)),
        production_mws: `${productionMws}i`,
      },
      hour.startMs,
    )
  }
  return lines
}

/** @param fields As they are written: whole numbers with an `i`, other numbers without. */
function lineOf(
  measurement: string,
  tags: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>>,
  timeMs: number,
): string {
  const written = Object.entries(tags)
    .map(([key, value]) => [escaped(key, /[,= ]/g), escaped(value, /[,= ]/g)] as const)
    // A tag without a value is not allowed.
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `,${key}=${value}`)
    .join('')
  const values = Object.entries(fields)
    .map(([key, value]) => `${escaped(key, /[,= ]/g)}=${value}`)
    .join(',')
  return `${escaped(measurement, /[, ]/g)}${written} ${values} ${timeMs}000000\n`
}

/** No name can have a line break, nor end with a backslash, which would escape what follows. */
function escaped(text: string, special: RegExp): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replace(/[\\\s]+$/, '')
    .replaceAll(special, '\\$&')
}
