import type { AutoVolt, CostVersion } from '@autovolt/data'

/** What the school pays by. */
export const timeOfUse = 'time of use'
/** What it could pay by instead. */
export const flat = 'flat'

const start = '2020-01-01T00:00:00+05:30'
/** g of CO2 that the grid emits for a kWh. */
export const carbonIntensityGPerKwh = 710
const common = { startsAt: start, currency: 'INR', feedInPricePerKwh: 3.05, carbonIntensityGPerKwh }
const nightStart = '22:00'
const schoolDays = [1, 2, 3, 4, 5]

type Band = NonNullable<CostVersion['bands']>[number]

/** INR per kWh. */
const peakPrice = 9.6
const usualPrice = 7.1
const nightPrice = 5.2
const flatPrice = 7.9

/**
 * Two tariffs: the one that holds in all rooms, and one to compare it with; and the price of what names none, whose
 * currency is that of `volt.energy`. Does no harm twice.
 */
export async function setTariffs(volt: AutoVolt): Promise<void> {
  const settings = { electricityPrice: flatPrice, currency: common.currency }
  if (!(await volt.powerSettings.exists({ name: 'default' }))) await volt.powerSettings.create(settings)
  const bands = [
    { days: schoolDays, from: '10:00', to: '14:00', pricePerKwh: peakPrice },
    { from: '18:00', to: '22:00', pricePerKwh: peakPrice },
    { from: nightStart, to: '06:00', pricePerKwh: nightPrice },
  ]
  await volt.tariffs.set({ ...common, tariff: timeOfUse, pricePerKwh: usualPrice, bands })
  await volt.tariffs.set({ ...common, tariff: flat, pricePerKwh: flatPrice })
}

/** Whether it is one of the dear hours; the other band is the night. */
export function isPeakBand({ from }: Band): boolean {
  return from !== nightStart
}

type Prices = Pick<CostVersion, 'bands' | 'pricePerKwh'>

/** INR per kWh in the dear hours. */
export function peakPriceOf({ bands = [], pricePerKwh }: Prices): number {
  return bands.find(isPeakBand)?.pricePerKwh ?? pricePerKwh
}

/** INR per kWh at night. */
export function nightPriceOf({ bands = [], pricePerKwh }: Prices): number {
  return bands.find((band) => !isPeakBand(band))?.pricePerKwh ?? pricePerKwh
}
