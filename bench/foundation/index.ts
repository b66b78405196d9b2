import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { benchAppend } from './append.js'
import { benchBackfill } from './backfill.js'
import { benchIngest } from './ingest.js'
import { benchRepository } from './repository.js'
import { benchTypes } from './types.js'

/** The figures of the package, its core and the main job. */
export const foundation: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  const keys = { active: 'bench', keys: { bench: Buffer.alloc(32, 7) } }
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'bench', keys })
  await volt.setup()
  return [
    ...(await benchTypes(context)),
    ...(await benchRepository(volt, context)),
    ...(await benchAppend(volt, context)),
    ...(await benchIngest(volt, context)),
    ...(await benchBackfill(volt, context)),
  ]
}
