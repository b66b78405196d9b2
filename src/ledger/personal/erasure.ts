import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'
import { hexOf } from '../entry/sha256.js'

/** The event that an entry's personal data is erased by. */
export function erasureOf(entry: LedgerEntry, now: Date): LedgerEvent {
  const { switchId, deviceId, classroom, powerState, powerRating, energySource, gapLimitMs, ratePerKwh, hash } = entry
  return {
    switchId,
    deviceId,
    classroom,
    timestamp: now,
    receivedAt: now,
    eventType: 'erasure',
    powerState,
    powerRating,
    energySource,
    gapLimitMs,
    ratePerKwh,
    flags: [],
    metadata: { source: 'api' },
    erases: hash,
    idempotencyKey: erasureKey(hash),
  }
}

/** The idempotency key of the erasure of an entry's personal data, from the entry's hash. */
export function erasureKey(hash: unknown): string {
  return `erasure:${hexOf(hash)}`
}
