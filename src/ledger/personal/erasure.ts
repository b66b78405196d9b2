import type { LedgerEntry, LedgerEvent } from '../entry/entry.js'

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
    idempotencyKey: `erasure:${hash}`,
  }
}
