import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'

/** Why a message could not be used. */
export const quarantineReasons = [
  /** It is not JSON, not even the beginning of it. */
  'not_json',
  /** It is JSON that ends before its end: the device's buffer was too small. */
  'truncated',
  /** Fields are missing or of the wrong kind. */
  'invalid',
  /** No decoder knows the topic. */
  'unknown_topic',
  'unknown_device',
  /** The device has no switch with that number. */
  'unknown_switch',
  /** The secret or the signature is wrong or missing. */
  'unauthorized',
  /** The value is not one that its kind of meter can give. */
  'not_a_reading',
  'too_large',
  /** The library met an error that the message itself must have caused. */
  'failed',
] as const
export type QuarantineReason = (typeof quarantineReasons)[number]

/** A message that could not be used, kept until it can be, or until it is too old. */
export const quarantineEntity = defineEntity({
  name: 'quarantined message',
  collection: 'ingest_quarantine',
  fields: {
    topic: z.string().max(1024),
    reason: z.enum(quarantineReasons),
    /** What exactly was wrong; without any value of the message. */
    detail: z.string().max(500),
    /** The payload with everything left out that could be a secret. */
    shownPayload: z.string().max(4000),
    payloadBytes: z.int().min(0),
    /** SHA-256 of topic and payload: the same message again is counted, not stored again. */
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    macAddress: z.string().max(64).optional(),
    /** The first time it came. */
    receivedAt: z.date(),
    lastReceivedAt: z.date(),
    /** How often it came, a batch that had to be repeated included. */
    occurrences: z.int().min(1),
    /** How often it was replayed without success. */
    replays: z.int().min(0).default(0),
  },
  secrets: { payload: z.string() },
  shardKey: { digest: 1 },
  indexes: [
    { key: { digest: 1 }, unique: true, serves: 'one document per message' },
    { key: { lastReceivedAt: -1, _id: -1 }, serves: 'the newest messages; the oldest, to be dropped' },
    { key: { reason: 1, lastReceivedAt: -1, _id: -1 }, serves: 'messages by reason, and their count' },
  ],
})

export type QuarantinedMessage = Stored<typeof quarantineEntity>
export type QuarantinedMessageInput = Input<typeof quarantineEntity>

/** How many messages ingestion has dropped from the quarantine, by cause; counts outlive what they count. */
export const ingestCounterEntity = defineEntity({
  name: 'ingest counter',
  collection: 'ingest_counters',
  fields: { name: z.string().min(1).max(100), count: z.int().min(0) },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'a counter by name' }],
})
