import { Binary } from 'mongodb'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { entryFlags } from '../../../src/ledger/entry/entry-limits.js'
import { unfitEntries } from '../support/unfit-entries.js'
import { anEntry, fileOf, keys, signed, storedBytesOf } from './parts.js'
import { contentOf, type Vector } from './vector.js'

const vector = (name: string, bytes: Buffer, verdict: Vector['verdict']): Vector => ({
  name: `entry: ${name}`,
  files: [contentOf(signed(fileOf([bytes])))],
  keys: [keys.verifierKey],
  verdict,
})

const erased = new Binary(Buffer.alloc(32, 0xee))
const noReading = { reading: undefined }
const good: readonly (readonly [name: string, fields: Partial<LedgerEntry>])[] = [
  ['a power reading', {}],
  ['a switch that was switched on', { eventType: 'switch_on', ...noReading }],
  ['a switch that was switched off', { eventType: 'switch_off', powerState: false, ...noReading }],
  ['a reading that was refused', { eventType: 'refused_reading', ...noReading }],
  ['a sign of life with an empty reading', { eventType: 'sign_of_life', reading: {} }],
  ['a restart', { eventType: 'restart', silentSince: new Date(-1), ...noReading }],
  [
    'an adjustment',
    { eventType: 'manual_adjustment', ...noReading, adjustment: { energyWs: -1, productionWs: 0, cost: 0 } },
  ],
  [
    'an erasure',
    { eventType: 'erasure', ...noReading, erases: erased, idempotencyKey: `erasure:${erased.toString('hex')}` },
  ],
  ['all flags', { flags: [...entryFlags] }],
  [
    'everything that can be absent',
    {
      energyDirection: 'production',
      reading: { powerW: -0, energyWh: 1e15, counterQuantumWh: 1e6, counterWidthWh: 0, maximumPower: 1 },
      silentSince: new Date('1900-01-01T00:00:00Z'),
      metadata: {
        source: 'migration',
        firmwareVersion: '',
        voltage: -1e6,
        current: 1e6,
        powerFactor: -1,
        temperature: -273.15,
        bootId: '🔌'.repeat(64),
        deviceSequence: Number.MAX_SAFE_INTEGER,
        originalRecordId: 'x'.repeat(200),
      },
      personalCommitment: erased,
    },
  ],
  [
    'the largest and smallest values',
    {
      timestamp: new Date(8.64e15),
      receivedAt: new Date(-8.64e15),
      powerRating: 1e6,
      reading: { powerW: -1e9 },
      gapLimitMs: 1e9,
      ratePerKwh: -1e6,
      cumulativeEnergy: 8e12,
      cumulativeProduction: -8e12,
      calculatedCost: -1e12,
    },
  ],
  [
    'a key of 200 characters with a zero and without a letter of ASCII',
    { idempotencyKey: `\u0000${'教'.repeat(199)}` },
  ],
]

export const entryVectors: readonly Vector[] = [
  ...good.map(([name, fields]) => vector(name, storedBytesOf(anEntry(fields)), 'sound')),
  ...unfitEntries(anEntry()).map(({ name, bytes }) => vector(name, bytes, 'damaged')),
  vector('another hash than its bytes have', storedBytesOf({ ...anEntry(), powerRating: 74 }), 'damaged'),
  vector('a first entry that goes on from another', storedBytesOf(anEntry({ previousHash: erased })), 'damaged'),
]
