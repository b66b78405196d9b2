import { createHash } from 'node:crypto'
import { Binary, Double, Int32, Long } from 'mongodb'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { BsonElements, elementOf, nested, rawDate, rawText } from './bson-elements.js'
import { toStoredEntry } from './stored-entry.js'

/** The elements with a hash that fits, as whoever may write to the database can make it. */
export function sealed(elements: BsonElements): Buffer {
  const body = new BsonElements(elements.elements.filter(({ name }) => name !== 'hash')).toBytes()
  const hash = createHash('sha256').update('\x00autovolt-ledger-entry\n', 'latin1').update(body).digest()
  return new BsonElements([
    ...elements.elements.filter(({ name }) => name !== 'hash'),
    ...elementOf('hash', new Binary(hash)),
  ]).toBytes()
}

const notUtf8 = Buffer.from([0x61, 0xc3, 0x28])
const first = <Value>([value]: readonly Value[]) => value as Value

type Change = readonly [name: string, change: (elements: BsonElements, entry: LedgerEntry) => BsonElements]

const put = (name: string, field: string, value: unknown): Change => [
  name,
  (elements) => elements.withInstead(field, ...elementOf(field, value)),
]
const edited = (name: string, field: keyof LedgerEntry, value: (entry: LedgerEntry) => unknown): Change => [
  name,
  (elements, entry) => elements.withInstead(field, ...elementOf(field, value(entry))),
]
const added = (name: string, after: string, field: string, value: unknown): Change => [
  name,
  (elements) => elements.withAfter(after, ...elementOf(field, value)),
]
const metadata = (...more: BsonElements['elements']) =>
  nested('metadata', 0x03, new BsonElements([...elementOf('source', 'mqtt'), ...more]))
const inMetadata = (name: string, ...more: BsonElements['elements']): Change => [
  name,
  (elements) => elements.withInstead('metadata', metadata(...more)),
]
const flags = (name: string, ...texts: readonly string[]): Change => put(name, 'flags', texts)

/** What somebody can make of a power reading that then is no entry, though its hash fits. */
const changes: readonly Change[] = [
  // Case 4.
  put('an event type that nobody knows', 'eventType', 'switch_of'),
  put('an event type in capitals', 'eventType', 'POWER_READING'),
  edited('an int32 in place of a double', 'powerRating', () => new Int32(75)),
  edited('an int64 in place of a double', 'gapLimitMs', () => Long.fromNumber(300_000)),
  put('an int32 as register', 'cumulativeEnergy', new Int32(0)),
  [
    'invalid UTF-8 in its key',
    (elements) => elements.withInstead('idempotencyKey', rawText('idempotencyKey', notUtf8)),
  ],
  inMetadata('invalid UTF-8 in its metadata', rawText('firmwareVersion', notUtf8)),
  [
    'no event data',
    ({ elements }) =>
      new BsonElements(
        elements.filter(({ name }) => ['_id', 'formatVersion', 'switchId', 'sequence', 'previousHash'].includes(name)),
      ),
  ],
  [
    'half of its event data',
    ({ elements }) => new BsonElements(elements.filter(({ name }) => name !== 'receivedAt' && name !== 'flags')),
  ],
  // Case 2.
  added('its switch twice, and another one', 'receivedAt', 'switchId', new Binary(Buffer.alloc(12))),
  ['its switch twice', (elements, entry) => elements.withAfter('deviceId', ...elementOf('switchId', entry.switchId))],
  ['its device twice', (elements, entry) => elements.withAfter('deviceId', ...elementOf('deviceId', entry.classroom))],
  [
    'its register twice',
    (elements) => elements.withAfter('cumulativeEnergy', ...elementOf('cumulativeEnergy', new Double(9))),
  ],
  [
    'a reading twice',
    (elements) => elements.withAfter('reading', first(elementOf('reading', { powerW: new Double(1) }))),
  ],
  inMetadata('a source twice', ...elementOf('source', 'api')),
  // Its order and what is too much.
  added('a field more', 'flags', 'notes', 'nothing'),
  added('a field that is null', 'gapLimitMs', 'silentSince', null),
  added('an adjustment that a reading cannot have', 'reading', 'adjustment', {
    energyWs: new Double(1),
    productionWs: new Double(0),
    cost: new Double(0),
  }),
  added('an erased hash that a reading cannot have', 'reading', 'erases', new Binary(Buffer.alloc(32))),
  inMetadata(
    'its metadata in another order',
    ...elementOf('current', new Double(0.5)),
    ...elementOf('voltage', new Double(1.5)),
  ),
  inMetadata('a field more in its metadata', ...elementOf('owner', 'nobody')),
  // Values.
  put('a flag twice', 'flags', ['estimated', 'estimated']),
  flags('flags in another order', 'placed', 'late'),
  flags('a flag that nobody knows', 'checked'),
  [
    'flags that are numbered otherwise',
    (elements) => elements.withInstead('flags', nested('flags', 0x04, new BsonElements(elementOf('1', 'placed')))),
  ],
  [
    'flags in a document',
    (elements) => elements.withInstead('flags', nested('flags', 0x03, new BsonElements(elementOf('0', 'placed')))),
  ],
  put('an empty reading', 'reading', {}),
  put('a reading of nothing but its rules', 'reading', { maximumPower: new Double(3500) }),
  put('a power that is no number', 'reading', { powerW: new Double(Number.NaN) }),
  put('a power without end', 'reading', { powerW: new Double(Number.POSITIVE_INFINITY) }),
  put('a counter below zero', 'reading', { energyWh: new Double(-1) }),
  put('a rating below zero', 'powerRating', new Double(-1)),
  put('a gap limit that is no integer', 'gapLimitMs', new Double(1000.5)),
  put('a gap limit that is too short', 'gapLimitMs', new Double(999)),
  put('a register that is too large', 'cumulativeEnergy', new Double(8.1e12)),
  [
    'a date beyond all dates',
    (elements) => elements.withInstead('timestamp', rawDate('timestamp', 8_640_000_000_000_001n)),
  ],
  [
    'a date before all dates',
    (elements) => elements.withInstead('receivedAt', rawDate('receivedAt', -8_640_000_000_000_001n)),
  ],
  put('a source of energy that nobody knows', 'energySource', 'sun'),
  added('a direction that nobody knows', 'energySource', 'energyDirection', 'consumption'),
  put('a source that nobody knows', 'metadata', { source: 'sun' }),
  put('no key', 'idempotencyKey', ''),
  put('a key that is too long', 'idempotencyKey', 'x'.repeat(201)),
  added('a commitment that is too short', 'metadata', 'personalCommitment', new Binary(Buffer.alloc(31))),
  added('a commitment of another subtype', 'metadata', 'personalCommitment', new Binary(Buffer.alloc(32), 0x80)),
  put('a switch that is on and off', 'powerState', new Int32(1)),
  put('an event that it is not the state of', 'eventType', 'switch_off'),
  put('a reading that was refused, and yet is there', 'eventType', 'refused_reading'),
  put('an erasure that erases nothing', 'eventType', 'erasure'),
  put('an adjustment by nothing', 'eventType', 'manual_adjustment'),
  put('another version', 'formatVersion', new Double(2)),
  put('a number that is none', 'sequence', new Double(1.5)),
]

/** The stored bytes of such entries, each with a hash that fits, made of a reading that is switched on. */
export function unfitEntries(entry: LedgerEntry): { readonly name: string; readonly bytes: Buffer }[] {
  const elements = BsonElements.of(toStoredEntry(entry))
  return changes.map(([name, change]) => ({ name, bytes: sealed(change(elements, entry)) }))
}
