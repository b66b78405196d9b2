import { AutoVolt } from '@autovolt/data'
import { generateLogKeys } from '@autovolt/data/ledger'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { benchAppend } from './append.js'
import { benchLarge } from './large.js'
import { benchManyWriters } from './many-writers.js'

/** The figures of the ledger: appending, verifying, checkpoints and proofs. */
export const ledger: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  const { signerKey, verifierKey } = generateLogKeys('bench.example/ledger')
  const { uri } = replicaSet
  await using small = await AutoVolt.open({ uri, dbName: 'bench' })
  await small.setup()
  const rows = [...(await benchAppend(small, context)), ...(await benchManyWriters(small, uri, context))]
  await small.database.native.dropDatabase()
  await using large = await AutoVolt.open({ uri, dbName: 'bench_large', ledgerLog: { signerKeys: [signerKey] } })
  await large.setup()
  return [...rows, ...(await benchLarge(large, uri, verifierKey, context))]
}
