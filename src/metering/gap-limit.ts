const PERIODS = 3
const SHORTEST_MS = 60_000
const UNDECLARED_MS = 300_000

/**
 * How far apart two readings may be, in milliseconds, before the time between them is a gap: three of the device's
 * declared reporting periods and at least 60 s; five minutes where no period is declared. Firmware reports a switched-off
 * period as 0, so a period that is not a positive, finite number counts as not declared.
 */
export function gapLimitMs(reportingPeriodMs: number | undefined): number {
  if (reportingPeriodMs === undefined || !Number.isFinite(reportingPeriodMs) || reportingPeriodMs <= 0) {
    return UNDECLARED_MS
  }
  return Math.max(PERIODS * reportingPeriodMs, SHORTEST_MS)
}
