import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { adoptSeries } from './adopt-series.js'
import { adoptSwitches } from './adopt-switches.js'
import { adoptWholeDevice } from './adopt-whole-device.js'
import { compareDevice, compareSwitches } from './compare-days.js'
import { DeviceDays } from './device-days.js'

/** Adopts everything that grows with time of one device: what its memory takes grows with the days of one device only. */
export async function adoptDevice(device: AdoptedDevice, context: AdoptionContext): Promise<void> {
  const { registry, options } = context
  const tariff = registry.tariffOf(device.input.classroom)
  const days = new DeviceDays({ timeZone: options.timeZone, rates: registry.rates, tariff })
  const sources = await adoptSwitches(device, context, days)
  await adoptSeries(device, context)
  const { stated, adopted } = await adoptWholeDevice(device, context, days)
  await compareSwitches(device, sources, days, context)
  await compareDevice(device, { days, stated, whole: adopted }, context)
}
