import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const folder = new URL('../../../../shared/data/', import.meta.url)

/** One power reading of a smart plug. */
export interface GapRow {
  /** Its number in the file. */
  readonly number: number
  readonly deviceId: string
  readonly appliance: string
  readonly file: string
  /** Local time in Berlin, without a zone. */
  readonly localTime: string
  readonly powerW: number
}

export interface ExpectedDay {
  readonly deviceId: string
  readonly appliance: string
  readonly day: string
  readonly kwh: number
  /** The local hour in which most was used, the first of several. */
  readonly peakHour: number
}

/** The readings in the order of the file; undefined where the folder is absent. */
export function readGaps(): GapRow[] | undefined {
  const text = read('gaps_2011-11.csv.gz', (bytes) => gunzipSync(bytes).toString())
  return text?.split('\n').slice(1).filter(Boolean).map(toRow)
}

/** The energy of each day by zero-order hold, from an independent calculation. */
export function readExpectedDays(): ExpectedDay[] {
  const text = read('expected_daily_gaps.csv', String) ?? ''
  return text
    .split('\n')
    .slice(1)
    .filter(Boolean)
    .map((line) => {
      const [deviceId = '', appliance = '', day = '', , , , , kwh = '', , , peakHour = ''] = line.split(',')
      return { deviceId, appliance, day, kwh: Number(kwh), peakHour: Number(peakHour) }
    })
}

function read(name: string, decode: (bytes: Buffer) => string): string | undefined {
  try {
    return decode(readFileSync(new URL(name, folder)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function toRow(line: string, at: number): GapRow {
  const [deviceId = '', appliance = '', file = '', localTime = '', power = ''] = line.split(',')
  return { number: at + 1, deviceId, appliance, file, localTime, powerW: Number(power) }
}
