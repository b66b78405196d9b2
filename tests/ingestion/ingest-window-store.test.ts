import { expect, it } from 'vitest'
import { IngestWindowStore } from '../../src/ingestion/ingest-window-store.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

it('keeps no more windows than can be in flight, while it runs', async () => {
  const database = setUpDatabase()
  const volt = await openVolt(database)
  await volt.setup()
  const open = () => new IngestWindowStore(volt.database, 'ingest_windows', 'session')
  const store = open()
  await store.load()
  const deliveries = Array.from({ length: 2_000 }, (_, at) => ({
    packetId: at + 1,
    digest: String(at).padStart(64, '0'),
    isRepeated: false,
  }))
  for (let batch = 0; batch < 80; batch += 1) {
    await store.store(deliveries)
    store.remember(deliveries)
    await store.dropOld()
  }
  // 65,535 messages of 2,000 each, and what is dropped at once.
  expect(await database.db.collection('ingest_windows').countDocuments()).toBeLessThan(33 + 32)
  expect(store.budget.bytes).toBeLessThanOrEqual(store.budget.maximumBytes)
  const again = open()
  await again.load()
  const repeated = deliveries.map((delivery) => ({ delivery: { ...delivery, isRepeated: true } }))
  expect(again.withoutTaken(repeated)).toEqual([])
})
