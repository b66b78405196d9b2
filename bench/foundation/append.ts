import type { AutoVolt } from '@autovolt/data'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'
import { EventSource, plainLedger, someSwitches, storedLike } from '../ledger/events.js'

const batchSize = 1000
const chains = 100

/** Appending hashed, chained entries in batches beside `insertMany` of the same documents with the same indexes. */
export async function benchAppend(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const perRound = Math.max(10 * batchSize, Math.floor(documents / (2 * rounds)))
  say(`ledger: append, ${perRound} entries a round`)
  const plain = await plainLedger(volt)
  const source = new EventSource(someSwitches(chains))
  const measured = await alternate(
    rounds,
    async () => {
      let seconds = 0
      for (let done = 0; done < perRound; done += batchSize) {
        const batch = source.next(batchSize)
        seconds += await secondsOf(() => volt.ledger.append(batch))
      }
      return perRound / seconds
    },
    async () => {
      let seconds = 0
      for (let done = 0; done < perRound; done += batchSize) {
        const batch = source.next(batchSize).map(storedLike)
        seconds += await secondsOf(() => plain.insertMany(batch))
      }
      return perRound / seconds
    },
  )
  await plain.drop()
  return [ratioRow('ledger.append-1000', 'entries/s', measured, { atLeast: 0.9 })]
}
