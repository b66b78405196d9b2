import { type AutoVolt, normalizeMacAddress } from '@autovolt/data'
import type { Ingestion } from '@autovolt/data/mqtt'
import { readNames } from './names.js'

const shownMessages = 30

/** The messages that could not be used: how many, why, and what of them may be shown. */
export async function readQuarantine(volt: AutoVolt, ingestion: Ingestion) {
  const { byReason, dropped } = await ingestion.quarantineCounts()
  const messages = await volt.quarantine.find({}, { sort: { lastReceivedAt: -1 }, limit: shownMessages })
  const { deviceByMac } = await readNames(volt)
  return {
    byReason,
    dropped: dropped.age + dropped.size,
    messages: messages.map((message) => ({
      id: message._id.toHexString(),
      reason: message.reason,
      detail: message.detail,
      topic: message.topic,
      macAddress: message.macAddress ?? null,
      device: deviceByMac.get(normalizeMacAddress(message.macAddress ?? '') ?? '') ?? null,
      shownPayload: message.shownPayload,
      payloadBytes: message.payloadBytes,
      lastReceivedAt: message.lastReceivedAt,
      occurrences: message.occurrences,
      replays: message.replays,
    })),
  }
}
