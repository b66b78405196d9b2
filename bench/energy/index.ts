import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group, GroupContext, Row } from '../harness.js'
import { benchMeasurements } from './measurements.js'
import { benchQueries } from './queries.js'

const benches: readonly ((volt: AutoVolt, context: GroupContext) => Promise<Row[]>)[] = [
  benchMeasurements,
  benchQueries,
]

/** The figures of energy: what is measured, rolled up and asked for. */
export const energy: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'bench' })
  await volt.setup()
  const rows: Row[] = []
  for (const bench of benches) rows.push(...(await bench(volt, context)))
  return rows
}
