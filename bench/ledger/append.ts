import type { AutoVolt } from '@autovolt/data'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf, valueRow } from '../harness.js'
import { EventSource, plainLedger, someSwitches, storedLike } from './events.js'

const batchSize = 1000
const batchesInFlight = 4
const oneByOne = 5000
const concurrent = 16

/** Appending in batches with several in flight, and one entry at a time, beside the plain driver. */
export async function benchAppend(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const perRound = Math.max(20 * batchSize, Math.floor(documents / (4 * rounds)))
  say(
    `append: ${perRound} entries a round in batches of ${batchSize}, ${batchesInFlight} in flight; ${oneByOne} one by one`,
  )
  const plain = await plainLedger(volt)
  const source = new EventSource(someSwitches(1000))
  const batches = await alternate(
    rounds,
    async () => {
      const events = Array.from({ length: perRound / batchSize }, () => source.next(batchSize)).values()
      const work = async () => {
        for (const batch of events) await volt.ledger.append(batch)
      }
      return perRound / (await secondsOf(() => Promise.all(Array.from({ length: batchesInFlight }, work))))
    },
    async () => {
      const events = Array.from({ length: perRound / batchSize }, () => source.next(batchSize).map(storedLike))
      return (
        perRound /
        (await secondsOf(async () => {
          for (const batch of events) await plain.insertMany(batch)
        }))
      )
    },
  )
  const single = await alternate(
    rounds,
    async () => {
      const events = source.next(oneByOne)
      return oneByOne / (await secondsOf(() => inTurn(events, (event) => volt.ledger.append([event]))))
    },
    async () => {
      const events = source.next(oneByOne).map(storedLike)
      return oneByOne / (await secondsOf(() => inTurn(events, (event) => plain.insertOne(event))))
    },
  )
  const shared = await alternate(
    rounds,
    () => concurrently(source.next(concurrent * oneByOne), (event) => volt.ledger.append([event])),
    () => concurrently(source.next(2 * oneByOne).map(storedLike), (event) => plain.insertOne(event)),
  )
  await plain.drop()
  return [
    ratioRow('ledger.append-batches-of-1000', 'entries/s', batches, { atLeast: 1.0 }),
    ratioRow('ledger.append-one-writer', 'entries/s', single, { atLeast: 0.9 }),
    valueRow('ledger.append-16-concurrent', 'entries/s', shared, { atLeast: 8000 }),
  ]
}

async function inTurn<Item>(items: Iterable<Item>, work: (item: Item) => Promise<unknown>): Promise<void> {
  for (const item of items) await work(item)
}

/** @returns items per second. */
async function concurrently<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<number> {
  const shared = items.values()
  const workers = Array.from({ length: concurrent }, () => inTurn(shared, work))
  return items.length / (await secondsOf(() => Promise.all(workers)))
}
