import type { AnalyticsService } from '../../../energy/analytics/analytics-service.js'
import { addCivilDays, civilDayOf } from '../../../metering/index.js'
import type { AlertRule } from '../alert-rule.js'
import { type FoundState, isBeyond, type StateCheck } from './state-check.js'

const hourMs = 3_600_000
/** Roll-ups of an hour come a while after its end. */
const recentMs = 3 * hourMs
/** Roll-ups change every few seconds, and what they come to every few minutes. */
const restMs = 300_000

type Analytics = Pick<AnalyticsService, 'anomalies' | 'monthlyTrends'>

/** Hours in which much more was used than in the same hour of the weeks before. */
export class UnusualEnergyCheck implements StateCheck {
  readonly restMs = restMs
  readonly #analytics: Analytics

  constructor(analytics: Analytics) {
    this.#analytics = analytics
  }

  async find(rule: AlertRule, nowMs: number, isOpen: (subject: string) => boolean): Promise<FoundState[]> {
    const { raiseAt = 0, clearAt = raiseAt, device, classroom } = rule
    const today = civilDayOf(nowMs, 'UTC')
    const found = await this.#analytics.anomalies({
      // The days around are in any zone those of the last hours.
      from: addCivilDays(today, -1),
      to: addCivilDays(today, 1),
      by: device === undefined ? 'classroom' : 'device',
      threshold: Math.max(1, Math.min(raiseAt, clearAt)),
      limit: 1_000,
      ...(device === undefined ? {} : { devices: [device] }),
      ...(classroom === undefined ? {} : { classrooms: [classroom] }),
    })
    const latest = new Map<string, FoundState>()
    for (const { id, start, powerW, expectedPowerW, score } of found) {
      const endMs = start.getTime() + hourMs
      const subject = id.toHexString()
      if (endMs > nowMs || endMs < nowMs - recentMs || !isBeyond(score, rule, isOpen(subject))) continue
      if ((latest.get(subject)?.at.getTime() ?? 0) > endMs) continue
      const message = `${Math.round(powerW)} W in the hour from ${start.toISOString()}, and ${Math.round(expectedPowerW)} W are usual`
      const place = device === undefined ? { classroom: id } : { device: id, classroom }
      latest.set(subject, { subject, at: new Date(endMs), message, value: score, ...place })
    }
    return [...latest.values()]
  }
}

/** Months in which more was used than was planned. */
export class BudgetCheck implements StateCheck {
  readonly restMs = restMs
  readonly #analytics: Analytics

  constructor(analytics: Analytics) {
    this.#analytics = analytics
  }

  async find(rule: AlertRule, nowMs: number): Promise<FoundState[]> {
    const { raiseAt = 0, device, classroom } = rule
    const month = civilDayOf(nowMs, 'UTC').slice(0, 7)
    const [trend] = await this.#analytics.monthlyTrends({
      from: month,
      to: month,
      ...(device === undefined ? {} : { devices: [device] }),
      ...(classroom === undefined ? {} : { classrooms: [classroom] }),
    })
    const value = trend?.totalEnergyKwh ?? 0
    if (value < raiseAt) return []
    const message = `${Math.round(value)} kWh in ${month}, and ${raiseAt} kWh were planned`
    return [{ subject: `month:${month}`, at: new Date(nowMs), message, value, device, classroom }]
  }
}
