import { randomUUID } from 'node:crypto'
import { ObjectId } from 'mongodb'
import type { LedgerEvent } from '../../../src/ledger/entry/entry.js'
import type { EntryFlag, EventType } from '../../../src/ledger/entry/entry-limits.js'

const startMs = Date.parse('2026-03-01T10:00:00Z')

/** An instant so many seconds after the start of the tests' day. */
export function at(seconds: number): Date {
  return new Date(startMs + Math.round(seconds * 1000))
}

/** An event as a host may append it. */
export type HostEvent = Omit<LedgerEvent, 'eventType' | 'flags'> & {
  readonly eventType: Exclude<EventType, 'erasure'>
  readonly flags: Exclude<EntryFlag, 'placed'>[]
}

/** A reading of a power meter. */
export function anEvent(overrides: Partial<HostEvent> = {}): HostEvent {
  const timestamp = overrides.timestamp ?? at(0)
  return {
    switchId: new ObjectId(),
    deviceId: new ObjectId(),
    classroom: new ObjectId(),
    timestamp,
    receivedAt: timestamp,
    eventType: 'power_reading',
    powerState: true,
    powerRating: 75,
    energySource: 'power',
    reading: { powerW: 100 },
    gapLimitMs: 300_000,
    ratePerKwh: 7.5,
    flags: [],
    metadata: { source: 'mqtt' },
    idempotencyKey: randomUUID(),
    ...overrides,
  }
}

export type OwnFields = Pick<LedgerEvent, 'switchId' | 'deviceId' | 'classroom'>

/** The ids that the events of one switch share. */
export function aSwitchInLedger(): OwnFields {
  return { switchId: new ObjectId(), deviceId: new ObjectId(), classroom: new ObjectId() }
}

/** Power readings of one switch, a minute apart. */
export function readings(count: number, own: OwnFields = aSwitchInLedger(), name = 'reading'): HostEvent[] {
  return Array.from({ length: count }, (_, minute) =>
    anEvent({ ...own, timestamp: at(60 * minute), idempotencyKey: `${name} ${minute}` }),
  )
}
