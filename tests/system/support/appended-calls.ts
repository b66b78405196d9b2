import type { LedgerEventInput } from '@autovolt/data'

export const chainCount = 10
const startMs = Date.parse('2026-03-01T10:00:00Z')

/** The switch of a chain. */
export function switchIdOf(chain: number): string {
  return `69a40000000000000000000${chain}`
}

/** What a call of a writer appends: events of its own for some of the chains, and one that every writer brings. */
export function eventsOfCall(writer: number, call: number): LedgerEventInput[] {
  const own = [0, 1, 2].map((part) =>
    reading((call + writer + part) % chainCount, `${writer}-${call}-${part}`, startMs + call * 60_000 + writer * 1000),
  )
  return [...own, reading(call % chainCount, `shared-${call}`, startMs + call * 60_000 + 30_000)]
}

/** A counter that has counted a watt-hour a minute, so that every reading of a chain tells the same story. */
function reading(chain: number, idempotencyKey: string, atMs: number): LedgerEventInput {
  return {
    switchId: switchIdOf(chain),
    deviceId: '69a400000000000000000100',
    classroom: '69a400000000000000000101',
    timestamp: new Date(atMs),
    receivedAt: new Date(atMs),
    eventType: 'power_reading',
    powerState: true,
    powerRating: 60,
    energySource: 'counter',
    reading: { energyWh: 1000 + (atMs - startMs) / 60_000 },
    gapLimitMs: 1_000_000,
    ratePerKwh: 8,
    flags: [],
    metadata: { source: 'mqtt' },
    idempotencyKey,
  }
}
