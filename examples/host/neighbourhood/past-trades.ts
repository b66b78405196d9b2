import { AutoVolt } from '@autovolt/data'
import type { DatabaseServer } from '../servers.js'
import { Random } from '../simulator/random.js'
import { appendReadings } from './meters.js'
import { offerOf, quarterMs } from './offers.js'
import type { Neighbourhood } from './register.js'

const pastQuarters = 16
const offersEach = 12
const readingMs = 5 * 60_000
/** ₹ that everybody has paid in. */
const deposit = '500'

/**
 * Gives a market in which nothing was traded yet some hours of trades, delivered and settled by what the meters said. What was traded is
 * matched by the time of then: a handle with a clock of its own does that.
 */
export async function tradePastHours(
  volt: AutoVolt,
  { uri, dbName, keys }: Pick<DatabaseServer, 'uri' | 'dbName' | 'keys'>,
  neighbourhood: Neighbourhood,
  seed: number,
  ending: AbortSignal,
): Promise<void> {
  const endMs = Math.floor(Date.now() / quarterMs) * quarterMs
  const startMs = endMs - pastQuarters * quarterMs
  const meters = neighbourhood.neighbours.flatMap((one) => one.meters)
  const count = Math.floor((Date.now() - startMs) / readingMs)
  const instants = Array.from({ length: count + 1 }, (_, at) => new Date(startMs + at * readingMs))
  await appendReadings(volt, meters, instants)

  const clock = { at: new Date(startMs - 60_000), now: () => clock.at }
  await using then = await AutoVolt.open({ uri, dbName, keys, clock, maxPoolSize: 5 })
  await payIn(then, neighbourhood)
  const random = new Random(seed).fork('past trades')
  for (let quarter = 0; quarter < pastQuarters && !ending.aborted; quarter += 1) {
    const left = pastQuarters - quarter
    const offers = Array.from({ length: offersEach }, (_, at) =>
      offerOf(neighbourhood, random, clock.at, `past ${startMs} ${quarter} ${at}`, Math.min(3, left)),
    )
    await then.market.placeMany(offers)
    await then.market.run()
    await then.market.settle()
    clock.at = new Date(clock.at.getTime() + quarterMs)
  }
  clock.at = new Date()
  await then.market.run()
}

async function payIn(volt: AutoVolt, { area, neighbours }: Neighbourhood): Promise<void> {
  for (const { user, household } of neighbours) {
    const what = { area: area._id, type: 'token_transfer', to: user._id, amount: deposit } as const
    await volt.market.transfer({ ...what, key: `deposit of ${household.email}`, description: 'Paid in' })
  }
  await volt.market.run()
}
