import type { AutoVolt } from '@autovolt/data'
import type { Resources } from '../resources.js'
import type { DatabaseServer } from '../servers.js'
import { Random } from '../simulator/random.js'
import { Timers } from '../simulator/timers.js'
import { appendReadings } from './meters.js'
import { offerOf } from './offers.js'
import { tradePastHours } from './past-trades.js'
import { type Neighbourhood, registerNeighbourhood } from './register.js'

const readingMs = 60_000
/** Somebody looks at the page: sooner than the quarter of an hour after which all is looked at anew. */
const settleMs = 30_000
const longestQuarters = 3
/** So many offers at the start: a book that is empty says little. */
const firstOffers = 30

/**
 * From here on neighbours trade: offers are matched, and what was traded is settled by what the meters say. The hours before are made up
 * meanwhile: nobody has to wait for them.
 */
export async function startNeighbourhood(
  volt: AutoVolt,
  server: DatabaseServer,
  seed: number,
  resources: Resources,
): Promise<Neighbourhood> {
  const neighbourhood = await registerNeighbourhood(volt)
  const ending = new AbortController()
  const stops: (() => Promise<void>)[] = []
  const begin = async () => {
    if (neighbourhood.isNew) await tradePastHours(volt, server, neighbourhood, seed, ending.signal)
    if (ending.signal.aborted) return
    stops.push(volt.market.start({ everyMs: 500 }), volt.market.startSettlement({ lateDays: 1 }))
    stops.push(startNeighbours(volt, neighbourhood, seed))
  }
  const begun = begin()
  // Where the past cannot be made up, closing says so.
  begun.catch(() => undefined)
  resources.add('the neighbours', async () => {
    ending.abort()
    await begun
    for (const stop of stops.toReversed()) await stop()
  })
  return neighbourhood
}

/** The simulated neighbours: their meters are read, and now and then one of them offers or asks for something. */
function startNeighbours(volt: AutoVolt, neighbourhood: Neighbourhood, seed: number): () => Promise<void> {
  const random = new Random(seed).fork('neighbours')
  const timers = new Timers()
  const meters = neighbourhood.neighbours.flatMap((one) => one.meters)
  const begunMs = Date.now()
  const underWay = new Set<Promise<void>>()
  let count = 0
  const offer = () => {
    count += 1
    return offerOf(neighbourhood, random, new Date(), `neighbour ${begunMs} ${count}`, longestQuarters)
  }
  // What fails meanwhile, such as an order without the money for it, is the neighbour's own concern.
  const begin = (work: Promise<unknown>) => {
    const done = work.then(
      () => undefined,
      () => undefined,
    )
    underWay.add(done)
    void done.then(() => underWay.delete(done))
  }
  begin(volt.market.placeMany(Array.from({ length: firstOffers }, offer)))
  begin(appendReadings(volt, meters, [new Date()]))
  timers.repeat(
    () => random.between(8_000, 18_000),
    () => begin(volt.market.place(offer())),
  )
  timers.repeat(
    () => readingMs,
    () => begin(appendReadings(volt, meters, [new Date()])),
  )
  timers.repeat(
    () => settleMs,
    () => begin(volt.market.settle()),
  )
  return async () => {
    timers.clear()
    await Promise.all(underWay)
  }
}
