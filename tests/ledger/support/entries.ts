import fc from 'fast-check'
import { Binary, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { type EventType, entryFlags, entryTypes, maximumRegisterWs } from '../../../src/ledger/entry/entry-limits.js'
import { entryFormatVersion } from '../../../src/ledger/entry/format-version.js'

const objectId = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes))
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Binary(bytes))

/** Any instant that a Date can hold, often one before 1970. */
const instant = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.integer({ min: -10_000, max: 10_000 }).map((ms) => new Date(ms)),
  fc.constantFrom(new Date(-8.64e15), new Date(8.64e15), new Date(-(2 ** 32)), new Date(2 ** 32), new Date(-1)),
)

/** Numbers in the range, often those that BSON, JSON or JavaScript treat in a special way. */
function quantity(min: number, max: number): fc.Arbitrary<number> {
  const special = [0, -0, 1, -1, 0.1, 5e-324, -5e-324, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, 1e300]
  return fc.oneof(
    fc.double({ min, max, noNaN: true }),
    fc.constantFrom(min, max, ...special.filter((value) => value >= min && value <= max)),
  )
}
const integer = (min: number, max: number) => fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))

/** Unicode as it comes: composed and decomposed, beyond the first plane, zeros, and halves of characters. */
function text(maxLength: number, minLength = 0): fc.Arbitrary<string> {
  const units = fc.oneof(
    fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 20) }),
    fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, 20) }),
    fc.constantFrom(
      'é',
      'e\u0301',
      '\u0000',
      '\ud83d',
      '\udd0c\ud83d',
      '\ufeff',
      '\ufffd',
      '教室🔌',
      'x'.repeat(maxLength),
    ),
  )
  return units.filter(({ length }) => length >= minLength && length <= maxLength)
}
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })

const parts = {
  powerW: optional(quantity(-1e9, 1e9)),
  energyWh: optional(quantity(0, 1e15)),
  counterQuantumWh: optional(quantity(0, 1e6)),
  counterWidthWh: optional(quantity(0, 1e15)),
  maximumPower: optional(quantity(1, 1e9)),
}
const reading = fc.record(parts)
/** One that tells of a power or a counter. */
const told = fc.oneof(
  fc.record({ ...parts, powerW: quantity(-1e9, 1e9) }),
  fc.record({ ...parts, energyWh: quantity(0, 1e15) }),
)
const readingOf: Partial<Record<EventType, fc.Arbitrary<LedgerEntry['reading']>>> = {
  power_reading: told,
  refused_reading: fc.constant(undefined),
}

const adjustment = fc.record({
  energyWs: quantity(-maximumRegisterWs, maximumRegisterWs),
  productionWs: quantity(-maximumRegisterWs, maximumRegisterWs),
  cost: quantity(-1e9, 1e9),
})

const metadata = fc.record({
  source: fc.constantFrom(
    'mqtt' as const,
    'api' as const,
    'manual' as const,
    'calculated' as const,
    'migration' as const,
  ),
  firmwareVersion: optional(text(100)),
  voltage: optional(quantity(-1e6, 1e6)),
  current: optional(quantity(-1e6, 1e6)),
  powerFactor: optional(quantity(-1, 1)),
  temperature: optional(quantity(-273.15, 1e4)),
  bootId: optional(text(64, 1)),
  deviceSequence: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  originalRecordId: optional(text(200)),
})

/** Entries over the whole of their schema. Their hashes are any: they are to be made. */
export const ledgerEntries: fc.Arbitrary<LedgerEntry> = fc
  .tuple(fc.constantFrom(...entryTypes), hash)
  .chain(([type, erased]) =>
    fc.record({
      _id: objectId,
      formatVersion: fc.constant(entryFormatVersion),
      switchId: objectId,
      sequence: integer(1, Number.MAX_SAFE_INTEGER),
      deviceId: objectId,
      classroom: objectId,
      timestamp: instant,
      receivedAt: instant,
      eventType: fc.constant(type),
      powerState: type === 'switch_on' || type === 'switch_off' ? fc.constant(type === 'switch_on') : fc.boolean(),
      powerRating: quantity(0, 1e6),
      energySource: fc.constantFrom('counter' as const, 'power' as const, 'rated' as const),
      energyDirection: optional(fc.constant('production' as const)),
      reading: readingOf[type] ?? optional(reading),
      adjustment: type === 'manual_adjustment' ? adjustment : fc.constant(undefined),
      erases: fc.constant(type === 'erasure' ? erased : undefined),
      gapLimitMs: integer(1000, 1e9),
      silentSince: optional(instant),
      ratePerKwh: integer(0, 1e12).map((millionths) => millionths / 1e6),
      flags: fc.subarray([...entryFlags]),
      metadata,
      personalCommitment: optional(hash),
      idempotencyKey: type === 'erasure' ? fc.constant(`erasure:${erased.toString('hex')}`) : text(200, 1),
      cumulativeEnergy: quantity(-maximumRegisterWs, maximumRegisterWs),
      cumulativeProduction: quantity(-maximumRegisterWs, maximumRegisterWs),
      calculatedCost: quantity(-1e12, 1e12),
      previousHash: hash,
      hash,
    }),
  )
