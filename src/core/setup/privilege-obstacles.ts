import type { Database } from '../database.js'
import { actionsOn, heldPrivileges } from '../privileges.js'
import { adjustmentOf } from './build-indexes.js'
import type { Comparison } from './compare.js'
import type { SetupObstacle } from './obstacle.js'

const advice = 'Run setup() with a role that may, such as the one for migrations (autovolt roles)'

/** What the role of the connection does not allow, of what has to be done. */
export async function privilegeObstacles(
  database: Database,
  comparisons: readonly Comparison[],
): Promise<SetupObstacle[]> {
  const privileges = await heldPrivileges(database)
  // The step itself shows what is allowed then.
  if (privileges === undefined) return []
  const dbName = database.native.databaseName
  return comparisons.flatMap((comparison): SetupObstacle[] => {
    const { collection } = comparison.entity
    const granted = actionsOn(privileges, dbName, collection)
    const lacking = neededActions(comparison).filter((action) => !granted.has(action))
    if (lacking.length === 0) return []
    return [
      {
        collection,
        kind: 'privilege',
        problem: `needs ${lacking.join(', ')}, which the role does not allow`,
        advice,
      },
    ]
  })
}

/** A collection whose documents would have to be looked at, and may not be. */
export function unreadable(collection: string): SetupObstacle {
  return { collection, kind: 'privilege', problem: 'has documents that the role may not read', advice }
}

function neededActions({ report, indexes }: Comparison): string[] {
  const { state, validator, timeSeries } = report
  const { missing, different, superseded } = indexes
  const rebuilt = different.filter(({ found, wanted }) => adjustmentOf(found, wanted) === undefined)
  const isAltered =
    [validator, timeSeries].some((part) => part === 'missing' || part === 'different') ||
    rebuilt.length < different.length
  return [
    ...(state === 'missing' ? ['createCollection'] : isAltered ? ['collMod'] : []),
    ...(missing.length + rebuilt.length > 0 ? ['createIndex'] : []),
    ...(rebuilt.length + superseded.length > 0 ? ['dropIndex'] : []),
  ]
}
