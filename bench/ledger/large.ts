import type { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { alternate, type GroupContext, median, type Row, ratioRow, secondsOf, spreadOf, valueRow } from '../harness.js'
import { benchProofs } from './proofs.js'
import { runWriters } from './writers.js'

const chains = 1000
const processes = 4
const fresh = 100_000

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
    ...(await benchVerification(volt, rounds, say)),
    valueRow(
      'ledger.checkpoint-over-100000',
      's',
      { value: median(checkpoints), valueSpread: spreadOf(checkpoints) },
      { atMost: 3 },
    ),
    ...(await benchSize(volt)),
    valueRow('ledger.tree-of-ledger-size', 'share', { value: await treeShare(volt) }, { atMost: 0.15 }),
    ...(await benchProofs(volt, verifierKey, switchIds)),
  ]
}

/**
 * Every byte hashed again and every link checked, without and with the registers recomputed, beside a scan of the raw documents
 * that looks at nothing.
 */
async function benchVerification(volt: AutoVolt, rounds: number, say: GroupContext['say']): Promise<Row[]> {
  say('verification of every chain, beside a raw scan')
  const { collection } = volt.entityOf('ledger')
  const scan = async () => {
    let entries = 0
    const cursor = volt.database.native.collection(collection).find({}, { raw: true, batchSize: 1000 })
    while (await cursor.hasNext()) entries += cursor.readBufferedDocuments().length
    return entries
  }
  const verify = async (registers: boolean) => {
    const report = await volt.ledger.verify({ registers })
    if (!report.valid) throw new Error('The ledger does not verify')
    return report.entries
  }
  const perSecond = async (read: () => Promise<number>) => {
    let entries = 0
    const seconds = await secondsOf(async () => {
      entries = await read()
    })
    return entries / seconds
  }
  // Both read all documents: whoever is measured first finds the cache as the other does.
  await scan()
  await verify(true)
  const beside = (registers: boolean) =>
    alternate(
      rounds,
      () => perSecond(() => verify(registers)),
      () => perSecond(scan),
    )
  return [
    ratioRow('ledger.full-verification', 'entries/s', await beside(false), { atLeast: 1.4 }),
    ratioRow('ledger.full-verification-with-registers', 'entries/s', await beside(true), { atLeast: 0.84 }),
  ]
}

/** What an entry takes on disk after a checkpoint of the storage engine. The run with ten million shows how it grows. */
async function benchSize(volt: AutoVolt): Promise<Row[]> {
  const { native } = volt.database
  await native.admin().command({ fsync: 1 })
  const { count, storageSize, totalIndexSize } = await native.command({ collStats: volt.entityOf('ledger').collection })
  const each = (bytes: unknown) => Number(bytes) / Number(count)
  const [documents, indexes] = [each(storageSize), each(totalIndexSize)]
  return [
    valueRow('ledger.entry-on-disk', 'bytes', { value: documents + indexes }, { atMost: 380 }),
    valueRow('ledger.entry-in-indexes', 'bytes', { value: indexes }, { atMost: 250 }),
  ]
}

async function treeShare(volt: AutoVolt): Promise<number> {
  const sizeOf = async (key: 'ledger' | 'ledgerTiles' | 'ledgerSegments') => {
    const stats = await volt.database.native.command({ collStats: volt.entityOf(key).collection })
    return Number(stats.size)
  }
  return ((await sizeOf('ledgerTiles')) + (await sizeOf('ledgerSegments'))) / (await sizeOf('ledger'))
}
