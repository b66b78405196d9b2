import { z } from 'zod'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import { instant, objectId } from '../core/fields.js'
import { validateData } from '../core/validate.js'
import type { DeviceCommand } from './command.js'

const question = z.strictObject({
  device: objectId(),
  command: z.string().min(1).max(50).optional(),
  from: instant().optional(),
  to: instant().optional(),
})

export interface StatisticsQuestion {
  /** The device. */
  readonly device: { toHexString(): string } | string
  /** One command; all of them where it is left out. */
  readonly command?: string
  /** When they were asked for: from then on, up to before then. */
  readonly from?: Date | string
  /** Up to before then. */
  readonly to?: Date | string
}

/** How the commands of one name to a device have ended. */
export interface CommandStatistics {
  readonly command: string
  readonly succeeded: number
  readonly failed: number
  readonly expired: number
  readonly cancelled: number
  /** Not ended yet. */
  readonly open: number
  /** Succeeded of those that succeeded, failed or expired; null where none did. */
  readonly successRate: number | null
  /** ms from when it was asked for to the device's answer; null where none succeeded. */
  readonly meanLatencyMs: number | null
  readonly longestLatencyMs: number | null
}

interface Counted {
  readonly _id: { readonly command: string; readonly status: DeviceCommand['status'] }
  readonly count: number
  readonly meanMs: number | null
  readonly longestMs: number | null
}

/** Success rates and latency, from an index alone. What it costs grows with the commands of the device in that time. */
export async function commandStatistics(
  documents: EntityCollection<DeviceCommand>,
  given: StatisticsQuestion,
): Promise<CommandStatistics[]> {
  const { device, command, from, to } = validateData(question, given, 'The question')
  const createdAt = { ...(from !== undefined && { $gte: from }), ...(to !== undefined && { $lt: to }) }
  const match = {
    device,
    command: command ?? { $gt: '' },
    ...(Object.keys(createdAt).length > 0 && { createdAt }),
  }
  const rows = await documents.for('statistics').aggregate<Counted>(
    [
      { $match: match },
      {
        $group: {
          _id: { command: '$command', status: '$status' },
          count: { $sum: 1 },
          meanMs: { $avg: '$latencyMs' },
          longestMs: { $max: '$latencyMs' },
        },
      },
    ],
    { hint: { device: 1, command: 1, createdAt: 1, status: 1, latencyMs: 1 } },
  )
  return [...new Set(rows.map(({ _id }) => _id.command))].toSorted().map((name) => of(name, rows))
}

function of(command: string, rows: readonly Counted[]): CommandStatistics {
  const own = rows.filter(({ _id }) => _id.command === command)
  const count = (...statuses: DeviceCommand['status'][]) =>
    own.reduce((total, row) => total + (statuses.includes(row._id.status) ? row.count : 0), 0)
  const [succeeded, failed, expired] = [count('succeeded'), count('failed'), count('expired')]
  const ended = succeeded + failed + expired
  const good = own.find(({ _id }) => _id.status === 'succeeded')
  return {
    command,
    succeeded,
    failed,
    expired,
    cancelled: count('cancelled'),
    open: count('queued', 'sent', 'acknowledged'),
    successRate: ended === 0 ? null : succeeded / ended,
    meanLatencyMs: good?.meanMs ?? null,
    longestLatencyMs: good?.longestMs ?? null,
  }
}
