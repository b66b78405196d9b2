import type { AutoVolt, MeasurementInput } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import type { GroupContext } from '../harness.js'
import { EventSource, someSwitches } from '../ledger/events.js'

const batchSize = 1000

/** Ledger entries with the validator and the indexes that they have, and measurements in their time series. */
export async function fillDatabase(volt: AutoVolt, { documents, say }: GroupContext): Promise<void> {
  const [entries, measurements] = [documents / 2, documents / 5]
  say(`filling: ${entries} ledger entries, ${measurements} measurements`)
  await volt.setup()
  const source = new EventSource(someSwitches(1000))
  for (let at = 0; at < entries; at += batchSize) await volt.ledger.append(source.next(batchSize))
  const meta = { device: new ObjectId(), switch: new ObjectId(), owner: new ObjectId(), site: new ObjectId() }
  for (let at = 0; at < measurements; at += batchSize)
    await volt.measurements.insert(Array.from({ length: batchSize }, (_, n) => measurement(at + n, meta)))
}

function measurement(n: number, meta: MeasurementInput['meta']): MeasurementInput {
  const at = new Date(1_760_000_000_000 + n * 5000)
  return {
    timestamp: at,
    received_at: at,
    meta,
    data_type: 'consumption',
    power: 60,
    boot: 'b',
    sequence_no: n,
    source: 'mqtt',
  }
}
