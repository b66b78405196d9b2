import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { shownAddress } from '../devices/mac-address.js'

/** Why a message could not be used. */
export const quarantineReasons = [
  /** It is not JSON. */
  'not_json',
  /** It is JSON that is still open at its end: the device’s buffer was too small. */
  'truncated',
  /** Fields are missing or of the wrong kind. */
  'invalid',
  /** The decoder does not know the topic, or none has it any more. */
  'unknown_topic',
  'unknown_device',
  /** The device is in no classroom: there is no place that its energy is accounted for. */
  'no_classroom',
  /** The device has no switch with that number. */
  'unknown_switch',
  /** The secret or the signature is wrong, missing, empty or too long. */
  'unauthorized',
  /** Nothing shows that it was not recorded: it has no time of its own, and its run or its connection is over, or not known. */
  'not_fresh',
  /** The value that the switch is metered by is none that can be, or there is none. */
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
  personal: {
    mentions: { in: ['topic', 'detail', 'shownPayload', 'payload'], onErasure: 'delete document' },
    notPersonal: (
      'reason payloadBytes source storedBytes digest isRetained macAddress receivedAt lastReceivedAt ' +
      'occurrences replays'
    ).split(' '),
  },
  fields: {
    /** The MQTT topic that it came by. */
    topic: z.string().max(1024),
    /** Why it could not be used. */
    reason: z.enum(quarantineReasons),
    /** What exactly was wrong; without any value of the message. */
    detail: z.string().max(500),
    /** The payload with everything left out that could be a secret. */
    shownPayload: z.string().max(4000),
    /** Its length in bytes. */
    payloadBytes: z.int().min(0),
    /** Whom it counts for when there is no room: a registered device, on topics of its own or shared ones, or `others`. */
    source: z.string().min(1).max(64),
    /** What it takes in the database, about. */
    storedBytes: z.int().min(0),
    /** SHA-256 of topic and payload: the same message again is counted, not stored again. */
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    /** Whether the broker had kept it: it is old news, also when it is replayed. */
    isRetained: z.boolean().default(false),
    /** The device that the topic names, twelve hexadecimal digits. */
    macAddress: shownAddress().optional(),
    /** The first time it came. */
    receivedAt: z.date(),
    /** When it last came. */
    lastReceivedAt: z.date(),
    /** How often it came, a batch that had to be repeated included. */
    occurrences: z.int().min(1),
    /** How often it was replayed without success. */
    replays: z.int().min(0).default(0),
  },
  secrets: { payload: z.string() },
  shardKey: { digest: 1 },
  indexes: [
    { key: { digest: 1, isRetained: 1 }, unique: true, serves: 'one document per message' },
    { key: { lastReceivedAt: -1, _id: -1 }, serves: 'the newest messages; the oldest, to be dropped' },
    { key: { source: 1, lastReceivedAt: 1, _id: 1 }, serves: 'what sources take; the oldest of one, to be dropped' },
    { key: { reason: 1, lastReceivedAt: -1, _id: -1 }, serves: 'messages by reason, and their count' },
  ],
})

export type QuarantinedMessage = Stored<typeof quarantineEntity>
export type QuarantinedMessageInput = Input<typeof quarantineEntity>

/**
 * Ingest counter: how many messages ingestion has dropped from the quarantine, by cause; counts outlive what they
 * count.
 */
export const ingestCounterEntity = defineEntity({
  name: 'ingest counter',
  collection: 'ingest_counters',
  personal: 'none',
  fields: {
    /** What is counted. */
    name: z.string().min(1).max(100),
    /** How many there are. */
    count: z.int().min(0),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'a counter by name' }],
})

export type IngestCounter = Stored<typeof ingestCounterEntity>
