import type { AutoVolt } from '@autovolt/data'
import { type GroupContext, median, type Row, valueRow } from '../harness.js'
import { drainIntoLedger, endSession, openSession, publish, registerDevices } from './ingest.js'
import { startBenchBroker } from './mosquitto.js'

const monthMs = 30 * 86_400_000
const perRound = 50_000

/**
 * Durable QoS 1 messages a second from mosquitto into the ledger: a month of one device's readings in random order, as a host
 * publishes them that fills a gap from files. Each falls somewhere among those that are there already.
 */
export async function benchBackfill(volt: AutoVolt, { rounds, say }: GroupContext): Promise<Row[]> {
  await using broker = await startBenchBroker()
  const rows: Row[] = []
  for (const energySource of ['power', 'counter'] as const) {
    const rates: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      say(`backfill: ${perRound} readings of a month (${energySource}) in random order, round ${round + 1}`)
      const stepMs = Math.floor(monthMs / perRound)
      const [address = ''] = await registerDevices(volt, 1, { reportingPeriodMs: stepMs, energySource })
      const numbers = shuffled(perRound)
      await openSession(broker.url, 'bench-main')
      await publish(broker.url, perRound, (n) => {
        const seq = numbers[n] ?? 0
        const value = energySource === 'power' ? { powerW: 55 + (seq % 10) } : { energyWh: 1000 + seq }
        const message = { id: `b1-${seq}`, boot: 'b1', seq, time: 1_760_000_000_000 + seq * stepMs, gpio: 16, ...value }
        return { address, message }
      })
      rates.push(await drainIntoLedger(volt, broker.url, perRound))
      await endSession(broker.url, 'bench-main')
    }
    rows.push(valueRow(`ingest.backfill-${energySource}`, 'messages/s', { value: median(rates) }, { atLeast: 3000 }))
  }
  return rows
}

/** The numbers below a count in random order, the same each time. */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, n) => n)
  let state = 12_345
  for (let at = count - 1; at > 0; at -= 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const other = Math.floor((state / 2 ** 32) * (at + 1))
    ;[numbers[at], numbers[other]] = [numbers[other] ?? 0, numbers[at] ?? 0]
  }
  return numbers
}
