export {
  type CivilUnit,
  civilDayOf,
  civilHourStart,
  civilMonthOf,
  cutsBetween,
  hourOfDay,
  nextCivilDay,
  nextCivilHour,
  nextCivilMonth,
  startOfCivilDay,
  startOfCivilMonth,
} from './civil-time.js'
export { costOf, formatMoney, isPercent, isPrice, type Money, moneyOf, NO_MONEY, roundMoney, sumMoney } from './cost.js'
export { type CounterOutcome, type DecidedReading, decideCounter } from './counter.js'
export type { CounterDecision, CounterState } from './counter-machine.js'
export { type CounterLevel, type CounterReading, isCounterValue } from './counter-reading.js'
export { type CounterRules, DEFAULT_MAXIMUM_POWER_W } from './counter-rules.js'
export { counterEnergyChange, isSettledAfter } from './counter-window.js'
export { type CredibleTime, credibleTime, DEFAULT_EARLIEST_CREDIBLE_MS } from './credible-time.js'
export { currencyDigits, isCurrency } from './currency.js'
export { gapLimitMs } from './gap-limit.js'
export { type PowerReading, powerStretch, powerStretches } from './left-hold.js'
export { instantOfLocalTime, type LocalInstant } from './local-time.js'
export { type Confidence, confidence, type QualitySeconds, qualityScore, qualitySeconds } from './quality.js'
export { ratedPowerStretches, ratedStretches, type SwitchState } from './rated-power.js'
export { compareReadings, type ReadingOrder } from './reading-order.js'
export { splitStretch } from './split.js'
export { asProduction, type EnergyRegisters, type EnergyStretch, type StretchQuality, sumStretches } from './stretch.js'
export { type PriceInForce, type Tariff, type TariffTax, type TariffVersion, tariffOf } from './tariff.js'
export { bandsOverlap, type TariffBand } from './tariff-week.js'
export { isTimeZone } from './time-zone.js'
export { kwhFromMws, mwsFromPower, mwsFromWh, whFromMws, wsFromMws } from './units.js'
