import type { AutoVolt, MeasurementInput } from '@autovolt/data'
import type { Document } from 'mongodb'
import { ObjectId } from 'mongodb'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'

const batchSize = 1000
/** As many as report in the time that a batch takes to fill, each several times. */
const channels = 100

/** Validated measurements into their time-series collection, beside the plain driver's `insertMany` of the same documents. */
export async function benchMeasurements(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  const perRound = Math.max(10 * batchSize, Math.floor(documents / (2 * rounds)))
  say(`measurements: ${perRound} a round of ${channels} channels, in batches of ${batchSize}`)
  const { collection, timeSeries, indexes } = volt.entityOf('measurements')
  const plain = await volt.database.native.createCollection<Document>(`plain_${collection}`, {
    timeseries: { timeField: 'timestamp', metaField: 'meta', granularity: timeSeries?.granularity ?? 'seconds' },
    writeConcern: { w: 'majority', journal: true },
  })
  for (const { key } of indexes) await plain.createIndex(key as Record<string, 1>)
  const ours = new MeasurementSource()
  const theirs = new MeasurementSource()
  const measured = await alternate(
    rounds,
    async () => {
      const batches = ours.batches(perRound)
      const insert = async () => {
        for (const batch of batches) await volt.measurements.insert(batch)
      }
      return perRound / (await secondsOf(insert))
    },
    async () => {
      const batches = theirs.batches(perRound)
      const insert = async () => {
        for (const batch of batches) await plain.insertMany(batch as Document[], { ordered: false })
      }
      return perRound / (await secondsOf(insert))
    },
  )
  await plain.drop()
  return [ratioRow('measurements.insert-validated', 'measurements/s', measured, { atLeast: 0.7 })]
}

class MeasurementSource {
  readonly #metas = Array.from({ length: channels }, () => ({
    device: new ObjectId(),
    switch: new ObjectId(),
    owner: new ObjectId(),
    site: new ObjectId(),
  }))
  #next = 0

  batches(count: number): MeasurementInput[][] {
    return Array.from({ length: count / batchSize }, () => Array.from({ length: batchSize }, () => this.#measurement()))
  }

  #measurement(): MeasurementInput {
    const n = this.#next++
    const round = Math.floor(n / channels)
    const power = 55 + (n % 10) + 0.5
    return {
      timestamp: new Date(1_760_000_000_000 + round * 5000),
      meta: this.#metas[n % channels] as MeasurementInput['meta'],
      data_type: 'consumption',
      power,
      voltage: 230.1,
      current: power / 230.1,
      power_factor: 0.97,
      frequency: 50,
      quality: 'good',
      received_at: new Date(1_760_000_000_200 + round * 5000),
      boot: 'b-1',
      sequence_no: round,
      source: 'mqtt',
    }
  }
}
