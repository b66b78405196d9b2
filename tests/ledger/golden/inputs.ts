import type { LedgerEventInput } from '../../../src/ledger/ledger.js'
import { witnessKey } from '../../support/cosignature.js'
import { testLogKeys } from '../support/test-keys.js'

// What the golden ledger was made from. It is never changed: a new version of the format gets a folder of its own.

export const origin = 'school.example/energy'
/** The log has passed from the first key to the second. */
export const firstKeys = testLogKeys(origin, Buffer.alloc(32, 1))
export const secondKeys = testLogKeys(origin, Buffer.alloc(32, 2))
export const witness = { name: 'witness.example/w1', seed: Buffer.alloc(32, 3), seconds: 1_772_366_400 }
export const witnessVerifierKey = witnessKey(witness.name, witness.seed).verifierKey
export const now = new Date('2026-03-01T12:00:00.000Z')

const rated = { switchId: '65a000000000000000000001', deviceId: '65a0000000000000000000d1' }
const metered = { switchId: '65a000000000000000000002', deviceId: '65a0000000000000000000d2' }
const counted = { switchId: '65a0000000000000000000ff', deviceId: '65a0000000000000000000d3' }

function event(given: Partial<LedgerEventInput> & Pick<LedgerEventInput, 'idempotencyKey'>): LedgerEventInput {
  const timestamp = given.timestamp ?? '2026-03-01T10:00:00.000Z'
  return {
    ...rated,
    classroom: '65a0000000000000000000c1',
    timestamp,
    receivedAt: timestamp,
    eventType: 'switch_on',
    powerState: true,
    powerRating: 75,
    energySource: 'rated',
    gapLimitMs: 300_000,
    ratePerKwh: 7.5,
    flags: [],
    metadata: { source: 'api' },
    ...given,
  }
}

/** Before the first checkpoint: an entry with nothing in it that can be absent, and numbers of every kind. */
export const firstEvents: readonly LedgerEventInput[] = [
  event({ idempotencyKey: 'on' }),
  event({
    ...metered,
    idempotencyKey: 'every field, and numbers that are hard to write',
    timestamp: '1969-12-31T23:59:59.999Z',
    receivedAt: '2026-03-01T10:00:00.001Z',
    eventType: 'power_reading',
    powerState: false,
    powerRating: 0.1,
    energySource: 'power',
    reading: {
      powerW: -0,
      energyWh: 1e15,
      counterQuantumWh: 1e-7,
      counterWidthWh: 123_456_789.012_345_67,
      maximumPower: 25_000,
    },
    silentSince: '1900-01-01T00:00:00.000Z',
    ratePerKwh: 8.123_456,
    flags: ['clock_replaced', 'clock_ambiguous', 'estimated', 'snapshot', 'reboot'],
    metadata: {
      source: 'mqtt',
      firmwareVersion: '',
      voltage: 230.4,
      current: -0,
      powerFactor: -0.98,
      temperature: -273.15,
      bootId: 'boot-9',
      deviceSequence: 9_007_199_254_740_991,
      originalRecordId: 'x'.repeat(200),
    },
  }),
  event({
    ...metered,
    // Composed, decomposed, beyond the first plane, no text at all, and half a character, which MongoDB stores as U+FFFD.
    idempotencyKey: 'é e\u0301 ﬁ 教室 🔌 \u0000 \u2028 \ud83d "\\',
    timestamp: '2026-03-01T10:01:00.000Z',
    eventType: 'power_reading',
    energySource: 'power',
    reading: { powerW: 58.25 },
    metadata: { source: 'migration', firmwareVersion: 'v2 β', originalRecordId: '' },
  }),
]

/** Between the first and the last checkpoint. */
export const laterEvents: readonly LedgerEventInput[] = [
  event({ idempotencyKey: 'off', timestamp: '2026-03-01T10:05:00.000Z', eventType: 'switch_off', powerState: false }),
  event({
    idempotencyKey: 'late',
    timestamp: '2026-03-01T10:02:00.000Z',
    receivedAt: '2026-03-01T10:06:00.000Z',
    eventType: 'switch_off',
    powerState: false,
    flags: ['snapshot'],
  }),
  event({
    idempotencyKey: 'adjusted',
    timestamp: '2026-03-01T10:07:00.000Z',
    eventType: 'manual_adjustment',
    powerState: false,
    adjustment: { energyWs: 1234.567, productionWs: 0, cost: -0.01 },
    metadata: { source: 'manual' },
  }),
  event({
    ...metered,
    idempotencyKey: 'a reading that was told of',
    timestamp: '2026-03-01T10:02:00.000Z',
    eventType: 'power_reading',
    energySource: 'power',
    reading: { powerW: -61 },
    notes: 'Ana said: “the projector”\n🙂',
  }),
  event({
    ...metered,
    idempotencyKey: 'one that was erased',
    timestamp: '2026-03-01T10:03:00.000Z',
    eventType: 'power_reading',
    energySource: 'power',
    reading: { powerW: 0 },
    personal: { teacher: 'Ana', half: '\ud83d' },
  }),
  event({
    ...counted,
    idempotencyKey: 'counter 1',
    eventType: 'power_reading',
    energySource: 'counter',
    reading: { energyWh: 20, counterQuantumWh: 1, counterWidthWh: 1000, maximumPower: 3500 },
    metadata: { source: 'calculated', bootId: '9', deviceSequence: 0 },
  }),
  event({
    ...counted,
    idempotencyKey: 'counter 2',
    timestamp: '2026-03-01T10:10:00.000Z',
    eventType: 'power_reading',
    energySource: 'counter',
    reading: { energyWh: 21.5, counterQuantumWh: 1, counterWidthWh: 1000, maximumPower: 3500 },
    metadata: { source: 'calculated', bootId: '9', deviceSequence: 1 },
  }),
]
/** The one among them whose personal data was erased. */
export const erasedKey = 'one that was erased'
