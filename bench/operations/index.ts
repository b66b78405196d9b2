import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { benchErasure } from './erasure.js'
import { benchWatched } from './watched.js'

/** The figures of operations: what it costs to watch a handle, and erasing a person of whom much is held. */
export const operations: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  const place = { uri: replicaSet.uri, dbName: 'bench' }
  await using plain = await AutoVolt.open(place)
  await using watched = await AutoVolt.open({ ...place, monitorCommands: true })
  await plain.setup()
  return [...(await benchWatched(plain, watched, context)), ...(await benchErasure(plain, context))]
}
