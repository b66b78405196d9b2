import type { AutoVolt } from '@autovolt/data'
import { verifyInclusion } from '@autovolt/data/ledger'
import { ObjectId } from 'mongodb'
import { alternate, type GroupContext, median, type Row, ratioRow, secondsOf, valueRow } from '../harness.js'
import { runWriters } from './writers.js'

const chains = 1000
const processes = 4
const fresh = 100_000
const proofs = 500

/** Verification, checkpoints and proofs on a large ledger that four processes have written. */
export async function benchLarge(
  volt: AutoVolt,
  uri: string,
  verifierKey: string,
  { documents, rounds, say }: GroupContext,
): Promise<Row[]> {
  const switchIds = Array.from({ length: chains }, () => new ObjectId().toHexString())
  const write = (entries: number) =>
    runWriters(
      Array.from({ length: processes }, (_, at) => ({
        uri,
        dbName: volt.database.connection.name,
        switchIds: switchIds.filter((_id, n) => n % processes === at),
        entries: Math.ceil(entries / processes),
        batchSize: 1000,
      })),
    )
  say(`large ledger: ${documents} entries of ${chains} chains, by ${processes} processes`)
  const checkpoints: number[] = []
  const growth = fresh * Math.ceil(documents / 10 / fresh)
  for (let entries = 0; entries < documents; entries += growth) {
    await write(Math.min(growth, documents - entries))
    await volt.ledger.checkpoint()
  }
  say(`checkpoints over ${fresh} new entries`)
  for (let round = 0; round < rounds; round += 1) {
    await write(fresh)
    checkpoints.push(await secondsOf(() => volt.ledger.checkpoint()))
  }
  return [
    await benchVerification(volt, rounds, say),
    valueRow('ledger.checkpoint-over-100000', 's', { value: median(checkpoints) }, { atMost: 3 }),
    valueRow('ledger.tree-of-ledger-size', 'share', { value: await treeShare(volt) }, { atMost: 0.15 }),
    ...(await benchProofs(volt, verifierKey, switchIds)),
  ]
}

/** Every byte hashed again and every link checked, beside a scan of the raw documents that looks at nothing. */
async function benchVerification(volt: AutoVolt, rounds: number, say: GroupContext['say']): Promise<Row> {
  say('verification of every chain, beside a raw scan')
  const { collection } = volt.entityOf('ledger')
  const measured = await alternate(
    rounds,
    async () => {
      let entries = 0
      const seconds = await secondsOf(async () => {
        const report = await volt.ledger.verify()
        if (!report.valid) throw new Error('The ledger does not verify')
        entries = report.entries
      })
      return entries / seconds
    },
    async () => {
      let entries = 0
      const seconds = await secondsOf(async () => {
        const cursor = volt.database.native.collection(collection).find({}, { raw: true, batchSize: 1000 })
        while (await cursor.hasNext()) entries += cursor.readBufferedDocuments().length
      })
      return entries / seconds
    },
  )
  return ratioRow('ledger.full-verification', 'entries/s', measured, { atLeast: 1.4 })
}

async function treeShare(volt: AutoVolt): Promise<number> {
  const sizeOf = async (key: 'ledger' | 'ledgerTiles' | 'ledgerSegments') => {
    const stats = await volt.database.native.command({ collStats: volt.entityOf(key).collection })
    return Number(stats.size)
  }
  return ((await sizeOf('ledgerTiles')) + (await sizeOf('ledgerSegments'))) / (await sizeOf('ledger'))
}

async function benchProofs(volt: AutoVolt, verifierKey: string, switchIds: readonly string[]): Promise<Row[]> {
  const makeMs: number[] = []
  const checkMs: number[] = []
  const bytes: number[] = []
  for (let n = 0; n < proofs; n += 1) {
    const switchId = new ObjectId(switchIds[(n * 7919) % switchIds.length])
    const entry = await volt.ledger.findOne({ switchId }, { sort: { sequence: 1 }, select: ['_id'] })
    if (entry === null) throw new Error('A chain has no entries')
    const startedMs = performance.now()
    const proof = await volt.ledger.proveInclusion(entry._id)
    const madeMs = performance.now()
    if (!verifyInclusion(proof, [verifierKey]).valid) throw new Error('A proof does not hold')
    checkMs.push(performance.now() - madeMs)
    makeMs.push(madeMs - startedMs)
    bytes.push(JSON.stringify({ ...proof, entry: '' }).length)
  }
  return [
    valueRow('ledger.inclusion-proof-made', 'ms', { value: median(makeMs) }, { atMost: 5 }),
    valueRow('ledger.inclusion-proof-checked', 'ms', { value: median(checkMs) }, { atMost: 0.1 }),
    valueRow('ledger.inclusion-proof-size', 'bytes', { value: Math.max(...bytes) }, { atMost: 2000 }),
  ]
}
