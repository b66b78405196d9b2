import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group, GroupContext, Row } from '../harness.js'
import { benchMeasurements } from './measurements.js'
import { benchQueries } from './queries.js'
import { benchRollUps } from './roll-ups.js'

const benches: readonly ((volt: AutoVolt, context: GroupContext) => Promise<Row[]>)[] = [
  benchMeasurements,
  benchQueries,
  benchRollUps,
]

/** The figures of energy: what is measured, rolled up and asked for. */
export const energy: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  const rows: Row[] = []
  for (const bench of benches) {
    // A baseline takes longer than the usual limit of 45 s on a slow machine.
    await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'bench', socketTimeoutMs: 600_000 })
    await volt.setup()
    rows.push(...(await bench(volt, context)))
    await volt.database.native.dropDatabase()
  }
  return rows
}
