import { randomUUID } from 'node:crypto'
import type { AutoVolt } from '@autovolt/data'
import { type Document, ObjectId } from 'mongodb'
import { type GroupContext, type Row, secondsOf, valueRow } from '../harness.js'

const ofPerson = 100_000
/** As many of other people are beside these. */
const batchSize = 10_000
const name = 'Ada Lovelace'

/** How documents of twelve collections name a person: by id, or in words. */
const kinds: Readonly<Record<string, (user: ObjectId, who: string) => Document>> = {
  user_sessions: (user) => ({ user, tokenHash: randomUUID(), familyHash: randomUUID(), refreshHash: randomUUID() }),
  user_tokens: (user) => ({ user, tokenHash: randomUUID() }),
  notifications: (user) => ({ user, kind: 'hello', title: 'Hello', deduplicationKey: randomUUID() }),
  notification_deliveries: (user) => ({ user, notification: new ObjectId(), channel: 'email' }),
  activity_logs: (user, userName) => ({ userId: user.toHexString(), userName, idempotencyKey: randomUUID() }),
  audit_logs: (user) => ({ entityId: user, at: new Date(), action: 'changed', after: { role: 'user' } }),
  device_commands: (user) => ({ slot: 1, device: new ObjectId(), requester: { user } }),
  schedules: (owner) => ({ name: 'evening', owner }),
  market_transactions: (from) => ({ from, to: new ObjectId(), amount: 1 }),
  energy_measurements: (owner) => ({
    timestamp: new Date(),
    meta: { device: new ObjectId(), owner, site: owner },
    power: 1,
  }),
  device_logs: (_, who) => ({ device: new ObjectId(), key: randomUUID(), at: new Date(), message: `reset by ${who}` }),
  daily_aggregates: (_, who) => ({ device_id: new ObjectId(), date_string: randomUUID(), esp32_name: `of ${who}` }),
}

/** Erases a person of whom there are 100,000 documents in twelve collections, among as many of others. */
export async function benchErasure(volt: AutoVolt, { say }: GroupContext): Promise<Row[]> {
  const { _id } = await volt.users.create({ name, email: 'ada@example.org' })
  const each = Math.ceil(ofPerson / Object.keys(kinds).length)
  say(
    `erasure: ${each} documents of a person and ${each} of others in each of ${Object.keys(kinds).length} collections`,
  )
  for (const [collection, make] of Object.entries(kinds)) {
    for (let at = 0; at < each; at += batchSize) {
      const count = Math.min(batchSize, each - at)
      const pairs = Array.from({ length: count }, () => [make(_id, name), make(new ObjectId(), 'Charles Babbage')])
      const options = { bypassDocumentValidation: true, ordered: false }
      await volt.database.native.collection(collection).insertMany(pairs.flat(), options)
    }
  }
  const value = await secondsOf(async () => {
    const report = await volt.privacy.erase(_id, { reason: 'bench' })
    const done = report.collections.reduce((sum, { deleted, anonymised }) => sum + deleted + anonymised, 0)
    say(`${done} documents, and buckets of time series`)
  })
  return [valueRow('privacy.erase-100000-documents', 's', { value }, { atMost: 30 })]
}
