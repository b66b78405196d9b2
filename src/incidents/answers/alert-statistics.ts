import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { objectId } from '../../core/fields.js'
import { addCivilDays, civilDayOf, isTimeZone, startOfCivilDay } from '../../metering/index.js'
import type { Alert } from '../alerts/alert.js'
import { type Severity, wordOf } from '../severity.js'
import { type Durations, durationSums, durationsOf, type SummedDurations } from './durations.js'

const byResolve = { resolved: 1, severityRank: -1, resolveMs: 1, acknowledgeMs: 1 } as const
const byAcknowledge = { resolved: 1, severityRank: -1, acknowledgeMs: 1 } as const

/** The unresolved alerts of a severity. */
export interface OpenAlerts {
  readonly severity: Severity
  readonly count: number
}

/** The alerts of a severity. */
export interface AlertStatistics {
  readonly severity: Severity
  readonly resolved: boolean
  readonly count: number
  /** From the first occurrence until somebody said to have seen it. */
  readonly toAcknowledge: Durations
  /** From the first occurrence until it was resolved. */
  readonly toResolve: Durations
}

const zone = () => z.string().max(100).refine(isTimeZone, { error: 'expected an IANA time zone such as Asia/Kolkata' })

export const alertTrendsSchema = z.strictObject({
  /** How many days, today included. @default 7; 366 at most */
  days: z.int().min(1).max(366).default(7),
  /** The zone whose days they are. @default that of the site, or UTC */
  timeZone: zone().optional(),
  /** Of a site; of all sites if left out. */
  classroom: objectId().optional(),
})
export type AlertTrendsQuestion = z.input<typeof alertTrendsSchema>

/** How many alerts of a type were opened on a civil day. */
export interface AlertTrend {
  readonly day: string
  readonly type: string
  readonly count: number
}

/** The worst first; from an index alone. */
export async function openAlertsBySeverity(alerts: EntityCollection<Alert>): Promise<OpenAlerts[]> {
  const rows = await alerts
    .for('openBySeverity')
    .aggregate<{ readonly _id: number; readonly count: number }>(
      [
        { $match: { resolved: false } },
        { $group: { _id: '$severityRank', count: { $sum: 1 } } },
        { $sort: { _id: -1 } },
      ],
      { hint: byResolve },
    )
  return rows.map(({ _id, count }) => ({ severity: wordOf(_id), count }))
}

interface Row extends SummedDurations {
  readonly _id: { readonly resolved: boolean; readonly severityRank: number }
}

/** The worst first, those that are not resolved before the others; from indexes alone. */
export async function alertStatistics(alerts: EntityCollection<Alert>): Promise<AlertStatistics[]> {
  const documents = alerts.for('statistics')
  const rows = await documents.aggregate<Row>(
    [
      {
        $group: {
          _id: { resolved: '$resolved', severityRank: '$severityRank' },
          ...durationSums,
        },
      },
      { $sort: { '_id.severityRank': -1, '_id.resolved': 1 } },
    ],
    { hint: byResolve },
  )
  return Promise.all(
    rows.map(async (row) => {
      const { resolved, severityRank } = row._id
      const durations = await durationsOf(documents, row, { filter: row._id, byAcknowledge, byResolve })
      return {
        severity: wordOf(severityRank),
        resolved,
        count: row.count,
        ...durations,
      }
    }),
  )
}

/** By day and type; days and types without alerts have no row. From an index alone. */
export async function alertTrends(
  alerts: EntityCollection<Alert>,
  { days, classroom }: z.output<typeof alertTrendsSchema>,
  timeZone: string,
  now: Date,
): Promise<AlertTrend[]> {
  const last = civilDayOf(now.getTime(), timeZone)
  const from = new Date(startOfCivilDay(addCivilDays(last, 1 - days), timeZone))
  const day = { $dateToString: { date: '$timestamp', format: '%Y-%m-%d', timezone: timeZone } }
  const rows = await alerts
    .for('trends')
    .aggregate<{ readonly _id: { readonly day: string; readonly type: string }; readonly count: number }>(
      [
        { $match: { timestamp: { $gte: from, $lte: now }, ...(classroom === undefined ? {} : { classroom }) } },
        { $group: { _id: { day, type: '$type' }, count: { $sum: 1 } } },
        { $sort: { '_id.day': 1, '_id.type': 1 } },
      ],
      { hint: { timestamp: 1, type: 1, classroom: 1 } },
    )
  return rows.map(({ _id, count }) => ({ ..._id, count }))
}
