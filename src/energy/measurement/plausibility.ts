import type { DeviceSwitch } from '../../devices/device.js'
import { credibleTime } from '../../metering/index.js'
import type { EnergyMeasurement, Implausibility } from './measurement.js'

/** W; what a channel takes or gives at most where nothing is declared. */
const defaultMaximumPower = 25_000

export type ChannelLimits = Pick<DeviceSwitch, 'maximumPower' | 'limits'>
type Values = Pick<EnergyMeasurement, 'power' | 'voltage' | 'current' | 'frequency'>
type Checked = Values & Pick<EnergyMeasurement, 'timestamp' | 'phases'>

/** What of the measurement is not plausible for its channel; nothing, as a rule. */
export function implausibilitiesOf(measurement: Checked, channel: ChannelLimits, nowMs: number): Implausibility[] {
  const { phases, timestamp } = measurement
  const values: Values[] = [measurement]
  for (const phase of [phases?.L1, phases?.L2, phases?.L3]) if (phase !== undefined) values.push(phase)
  const found = new Set<Implausibility>()
  for (const value of values) collect(value, channel, found)
  if (isInTheFuture(timestamp.getTime(), nowMs)) found.add('time_in_the_future')
  return [...found]
}

function collect({ power, voltage, current, frequency }: Values, channel: ChannelLimits, found: Set<Implausibility>) {
  const { maximumPower = defaultMaximumPower, limits } = channel
  if (power !== undefined && Math.abs(power) > maximumPower) found.add('power_above_maximum')
  if (limits === undefined) return
  const { minimumVoltage, maximumVoltage, maximumCurrent, minimumFrequency, maximumFrequency } = limits
  // 0 V with 0 W is a dead line, which has no frequency either.
  const isDead = voltage === 0 && power === 0
  if (!isDead && isBelow(voltage, minimumVoltage)) found.add('voltage_below_minimum')
  if (isAbove(voltage, maximumVoltage)) found.add('voltage_above_maximum')
  if (isAbove(current === undefined ? undefined : Math.abs(current), maximumCurrent)) found.add('current_above_maximum')
  if (!isDead && isBelow(frequency, minimumFrequency)) found.add('frequency_below_minimum')
  if (isAbove(frequency, maximumFrequency)) found.add('frequency_above_maximum')
}

function isBelow(value: number | undefined, limit: number | undefined): boolean {
  return value !== undefined && limit !== undefined && value < limit
}

function isAbove(value: number | undefined, limit: number | undefined): boolean {
  return value !== undefined && limit !== undefined && value > limit
}

function isInTheFuture(atMs: number, nowMs: number): boolean {
  return credibleTime({ deviceTimeMs: atMs, arrivalMs: nowMs, earliestMs: Number.NEGATIVE_INFINITY }).clockReplaced
}
