import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Identified } from '../core/entity.js'

/** How many users there are that are not deleted. */
export interface UserStatistics {
  readonly total: number
  /** By name of the role; `none` for users from before roles. */
  readonly byRole: Readonly<Record<string, number>>
  readonly byType: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  /** By way in: `local` for a password. Who has several counts for each, who has none for none. */
  readonly byProvider: Readonly<Record<string, number>>
  /** How many came in each month that any did (UTC), the first month first. */
  readonly newPerMonth: readonly { readonly month: string; readonly count: number }[]
}

interface Group {
  readonly _id: {
    readonly role?: string
    readonly type: string
    readonly status: string
    readonly month: string
    readonly providers: readonly string[]
  }
  readonly count: number
}

const providerOfKey = { $arrayElemAt: [{ $split: ['$$key', ':'] }, 0] }
const accounts = { $map: { input: { $ifNull: ['$authKeys', []] }, as: 'key', in: providerOfKey } }
const local = { $cond: [{ $eq: [{ $type: '$password' }, 'string'] }, ['local'], []] }

/** Reads every user once; what comes back is one row for each combination that there is. */
export async function userStatistics<Stored extends Identified>(
  users: EntityCollection<Stored>,
): Promise<UserStatistics> {
  const month = { $dateToString: { date: '$createdAt', format: '%Y-%m' } }
  const providers = { $concatArrays: [local, accounts] }
  const groups = await users.aggregate<Group>([
    { $match: { deletedAt: null } },
    { $group: { _id: { role: '$role', type: '$userType', status: '$status', month, providers }, count: { $sum: 1 } } },
  ])
  const sumsBy = (namesOf: (group: Group) => readonly string[]) => {
    const sums = new Map<string, number>()
    for (const group of groups) for (const name of namesOf(group)) sums.set(name, (sums.get(name) ?? 0) + group.count)
    return [...sums].sort(([one], [other]) => (one < other ? -1 : 1))
  }
  return {
    total: groups.reduce((sum, { count }) => sum + count, 0),
    byRole: Object.fromEntries(sumsBy(({ _id }) => [_id.role ?? 'none'])),
    byType: Object.fromEntries(sumsBy(({ _id }) => [_id.type])),
    byStatus: Object.fromEntries(sumsBy(({ _id }) => [_id.status])),
    byProvider: Object.fromEntries(sumsBy(({ _id }) => _id.providers)),
    newPerMonth: sumsBy(({ _id }) => [_id.month]).map(([name, count]) => ({ month: name, count })),
  }
}
