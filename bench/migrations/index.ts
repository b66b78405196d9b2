import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { benchBackfills } from './backfills.js'
import { benchLegacy } from './legacy.js'
import { benchStatus, benchTrivial } from './trivial.js'

/** The figures of migrations. */
export const migrations: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  const { uri } = replicaSet
  return [
    ...(await benchTrivial(uri, context)),
    ...(await benchStatus(uri, context)),
    ...(await benchBackfills(uri, context)),
    ...(await benchLegacy(uri, context)),
  ]
}
