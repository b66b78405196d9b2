import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { fillDatabase } from './data.js'
import { benchDump } from './dump.js'
import { withFolder } from './folder.js'
import { benchMemory } from './memory.js'
import { benchRestore } from './restore.js'

/** The figures of backups, on half as many ledger entries as `documents` says and a fifth as many measurements. */
export const backup: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  const { uri } = replicaSet
  await using volt = await AutoVolt.open({ uri, dbName: 'bench' })
  await fillDatabase(volt, context)
  // Awaited here: the handle is closed when this returns.
  return await withFolder(async (folder) => [
    ...(await benchDump(volt, folder, context)),
    ...(await benchRestore(volt, folder, context)),
    ...(await benchMemory(context)),
  ])
}
