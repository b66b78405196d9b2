import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import { type Case, type CaseStatus, caseStatuses } from '../cases/case.js'
import { type Severity, severities, wordOf } from '../severity.js'
import { type Durations, durationSums, durationsOf, type SummedDurations } from './durations.js'

/** The cases of a status and severity. */
export interface CaseStatistics {
  readonly status: CaseStatus
  readonly severity: Severity
  readonly count: number
  /** From opening to the first work. */
  readonly toAcknowledge: Durations
  /** From opening to the resolution. */
  readonly toResolve: Durations
}

/** What somebody has to do. */
export interface OpenCases {
  /** Null for the cases that nobody works on. */
  readonly assignee: ObjectId | null
  readonly count: number
  /** Of these those that are critical. */
  readonly critical: number
}

interface Row extends SummedDurations {
  readonly _id: { readonly status: CaseStatus; readonly severityRank: number }
}

const byResolve = { status: 1, severityRank: -1, resolveMs: 1, acknowledgeMs: 1 } as const
const byAcknowledge = { status: 1, severityRank: -1, acknowledgeMs: 1 } as const

/** By severity, the worst first, and then by status; from indexes alone. */
export async function caseStatistics(cases: EntityCollection<Case>): Promise<CaseStatistics[]> {
  const documents = cases.for('statistics')
  const rows = await documents.aggregate<Row>(
    [
      {
        $group: {
          _id: { status: '$status', severityRank: '$severityRank' },
          ...durationSums,
        },
      },
    ],
    { hint: byResolve },
  )
  const statistics = rows.map(async (row) => {
    const { status, severityRank } = row._id
    const durations = await durationsOf(documents, row, { filter: row._id, byAcknowledge, byResolve })
    return { status, severity: wordOf(severityRank), count: row.count, ...durations, severityRank }
  })
  const all = await Promise.all(statistics)
  const place = ({ status }: { readonly status: CaseStatus }) => caseStatuses.indexOf(status)
  return all
    .sort((one, other) => other.severityRank - one.severityRank || place(one) - place(other))
    .map(({ severityRank, ...rest }) => rest)
}

/** Those with the most first; from an index alone. */
export async function openCasesByAssignee(cases: EntityCollection<Case>): Promise<OpenCases[]> {
  const rows = await cases
    .for('openByAssignee')
    .aggregate<{ readonly _id: ObjectId | null; readonly count: number; readonly critical: number }>(
      [
        { $match: { isOpen: true } },
        {
          $group: {
            _id: '$assignee',
            count: { $sum: 1 },
            critical: { $sum: { $cond: [{ $eq: ['$severityRank', severities.length] }, 1, 0] } },
          },
        },
        { $sort: { count: -1, _id: 1 } },
      ],
      { hint: { isOpen: 1, assignee: 1, severityRank: -1, _id: 1 } },
    )
  return rows.map(({ _id, count, critical }) => ({ assignee: _id, count, critical }))
}
