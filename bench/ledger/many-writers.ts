import type { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { alternate, type GroupContext, type Row, ratioRow } from '../harness.js'
import { runWriters } from './writers.js'

const chains = 10
const processes = 4
const batchSize = 100
const perProcess = 20_000

/** Four processes that append to the same ten chains beside one that does; nothing may be lost, doubled or forked. */
export async function benchManyWriters(volt: AutoVolt, uri: string, { rounds, say }: GroupContext): Promise<Row[]> {
  say(
    `many writers: ${processes} processes, the same ${chains} chains, ${perProcess} entries each in batches of ${batchSize}`,
  )
  const task = () => ({
    uri,
    dbName: volt.database.connection.name,
    switchIds: Array.from({ length: chains }, () => new ObjectId().toHexString()),
    batchSize,
  })
  const measured = await alternate(
    rounds,
    async () => {
      const shared = { ...task(), entries: perProcess }
      const seconds = await runWriters(Array.from({ length: processes }, () => shared))
      await requireWhole(volt, shared.switchIds, processes * perProcess)
      return (processes * perProcess) / seconds
    },
    async () => {
      const alone = { ...task(), entries: processes * perProcess }
      return (processes * perProcess) / (await runWriters([alone]))
    },
  )
  return [ratioRow('ledger.four-processes-same-chains', 'entries/s', measured, { atLeast: 0.4 })]
}

async function requireWhole(volt: AutoVolt, switchIds: readonly string[], expected: number): Promise<void> {
  const { findings, entries, chains: found } = await volt.ledger.verify({ switchIds })
  if (findings.length > 0 || entries !== expected || found !== chains)
    throw new Error(`The chains are not whole: ${entries} entries of ${expected}, ${findings.length} findings`)
}
