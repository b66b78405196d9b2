import { hash } from 'node:crypto'

/** A message as it came. */
export interface RawMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly receivedAt: Date
  /** Whether the broker had kept it: it was said at some time before. */
  readonly isRetained?: boolean | undefined
  /** Whether it is replayed from the quarantine, and was as fresh when it came as it had to be. */
  readonly isReplayed?: boolean | undefined
  /** What the whole message was, where `payload` is its beginning only. */
  readonly whole?: WholeMessage | undefined
}

/** A message that was too large to be kept whole. */
export interface WholeMessage {
  readonly payloadBytes: number
  /** As {@link digestOf} makes it. */
  readonly digest: string
}

/** No message of a device is larger; of one that is, the beginning is kept, its length and its digest. */
export const maximumPayloadBytes = 65_536
/** How much of a message that is too large is kept. */
export const keptBytes = 4_096
/** A longer topic is no device's. */
export const maximumTopicLength = 1_024

/** Why the message is larger than any that a device sends; undefined if it is not. */
export function excessOf({ topic, payload, whole }: RawMessage): string | undefined {
  const bytes = whole?.payloadBytes ?? payload.byteLength
  if (bytes > maximumPayloadBytes) return `${bytes} bytes are more than ${maximumPayloadBytes}`
  return topic.length > maximumTopicLength ? `a topic of ${topic.length} characters` : undefined
}

/** SHA-256 of topic and payload, in hexadecimal. */
export function digestOf({ topic, payload, whole }: Pick<RawMessage, 'topic' | 'payload' | 'whole'>): string {
  return whole?.digest ?? hash('sha256', Buffer.concat([Buffer.from(`${topic}\0`), payload]), 'hex')
}
