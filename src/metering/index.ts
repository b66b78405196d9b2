export {
  addCivilDays,
  type CivilSpan,
  civilDayOf,
  civilMonthOf,
  civilSpans,
  daysOfCivilMonth,
  endOfCivilDay,
  instantOfTimeOfDay,
  nextDayChange,
  startOfCivilDay,
} from './civil-days.js'
export { type CivilUnit, civilHourStart, cutsBetween, hourOfDay, nextCivilHour } from './civil-time.js'
export { costOf, formatMoney, isPercent, isPrice, type Money, moneyOf, NO_MONEY, roundMoney, sumMoney } from './cost.js'
export { type CounterOutcome, decideCounter } from './counter.js'
export type { CounterState } from './counter-machine.js'
export { type CounterReading, isCounterValue } from './counter-reading.js'
export { type CounterRules, DEFAULT_MAXIMUM_POWER_W } from './counter-rules.js'
export { isSettledAfter } from './counter-window.js'
export { type CredibleTime, credibleTime, DEFAULT_EARLIEST_CREDIBLE_MS, latestCredibleMs } from './credible-time.js'
export { currencyDigits, isCurrency } from './currency.js'
export { gapLimitMs } from './gap-limit.js'
export { instantOfLocalTime, type LocalInstant } from './local-time.js'
export { comparePowers, type PowerReading, powerStretch, powerStretches } from './power-integration.js'
export { type Confidence, confidence, type QualitySeconds, qualityScore, qualitySeconds } from './quality.js'
export { ratedPowerStretches, ratedStretches, type SwitchState, stateAfter } from './rated-power.js'
export { compareReadings, type ReadingOrder } from './reading-order.js'
export { splitStretch } from './split.js'
export { asProduction, type EnergyRegisters, type EnergyStretch, type StretchQuality, sumStretches } from './stretch.js'
export { type PriceInForce, type Tariff, type TariffTax, type TariffVersion, tariffOf } from './tariff.js'
export { bandsOverlap, type TariffBand } from './tariff-week.js'
export { isCivilDay, parseTimeText, type TimeText } from './time-text.js'
export { isTimeZone } from './time-zone.js'
export { kwhFromMws, mwsFromPower, mwsFromWh, whFromMws, wsFromMws } from './units.js'
