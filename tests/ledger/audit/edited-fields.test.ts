import { Binary, BSON, type Document, Double, Int32, Long, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase } from '../../support/database.js'
import { slice } from '../../support/extent.js'
import { hex } from '../support/chains.js'
import { Site } from './support/site.js'

const database = setUpDatabase()
let site: Site

beforeAll(async () => {
  site = await Site.build(database)
})

/** Signed in the middle of its chain; after the checkpoints with a successor; after them at the end. */
const places = [2, 6, 7] as const
const fields = [
  'deviceId classroom timestamp receivedAt eventType powerState powerRating energySource',
  'reading.powerW reading.energyWh reading.counterQuantumWh reading.counterWidthWh reading.maximumPower',
  'gapLimitMs silentSince ratePerKwh flags.0 flags.1',
  'metadata.source metadata.firmwareVersion metadata.voltage metadata.current metadata.powerFactor',
  'metadata.temperature metadata.bootId metadata.deviceSequence metadata.originalRecordId',
  'idempotencyKey cumulativeEnergy cumulativeProduction calculatedCost previousHash hash',
].flatMap((line) => line.split(' '))

/** Replaces an entry by what the change makes of it, verifies, and puts it back. */
async function reportAfter(sequence: number, change: (entry: Document) => Document) {
  const before = await site.entry(site.first, sequence)
  const after = change(BSON.deserialize(BSON.serialize(before), { promoteValues: false }))
  expect(Buffer.compare(BSON.serialize(after), BSON.serialize(before))).not.toBe(0)
  await site.remove('entries', { _id: before._id })
  await site.insert('entries', after)
  const report = await site.verify()
  await site.remove('entries', { _id: after._id })
  await site.insert('entries', before)
  return { report, hash: hex(before.hash), entryId: String(after._id) }
}

/** The one finding is the edited entry in its place. */
async function expectEdited(sequence: number, change: (entry: Document) => Document) {
  const { report, hash, entryId } = await reportAfter(sequence, change)
  const switchId = site.first.switchId.toHexString()
  expect(report.valid).toBe(false)
  expect(report.findings).toEqual([report.invalidEntry])
  expect(report.invalidEntry).toMatchObject({ damage: 'edited', where: 'entry', switchId, sequence, entryId })
  return { ...report.invalidEntry, hash }
}

/** The entry with something else at the path. */
function withValue(path: string, next: (value: unknown) => unknown) {
  return (entry: Document) => {
    const names = path.split('.')
    const last = names.pop() as string
    const parent = names.reduce<Document>((document, name) => document[name], entry)
    parent[last] = next(parent[last])
    return entry
  }
}

function anotherOfItsType(value: unknown): unknown {
  if (value instanceof Double) return new Double(value.value + 1)
  if (value instanceof Date) return new Date(value.getTime() + 1)
  if (value instanceof ObjectId) return new ObjectId()
  if (typeof value === 'boolean') return !value
  if (value instanceof Binary) return new Binary(Buffer.from(value.buffer).fill((value.buffer[0] ?? 0) ^ 1, 0, 1))
  const text = String(value)
  return `${text.startsWith('f') ? 'e' : 'f'}${text.slice(1)}`
}

function sameInAnotherType(value: unknown): unknown {
  if (value instanceof Double) return Number.isInteger(value.value) ? new Int32(value.value) : String(value.value)
  if (value instanceof Date) return Long.fromNumber(value.getTime())
  if (value instanceof ObjectId) return value.toHexString()
  if (typeof value === 'boolean') return new Int32(Number(value))
  if (value instanceof Binary) return value.toString('hex')
  return new BSON.Code(String(value))
}

describe('an untouched ledger', () => {
  it('is valid, and says what is not excluded', async () => {
    const report = await site.verify()
    expect(report).toMatchObject({
      valid: true,
      entries: 11,
      chains: 2,
      invalidEntry: null,
      findings: [],
      checkpoint: { size: 8 },
      coveredEntries: 8,
      archivedEntries: 0,
      newestAnchor: null,
    })
    expect(report.caveats).toEqual([
      '3 entries came after the newest checkpoint: only their links show whether they were changed.',
      expect.stringContaining('cut at their ends, or rewritten'),
    ])
  })
})

describe.each(places)('in entry %i', (sequence) => {
  const own = slice(fields, places.length, places.indexOf(sequence))

  it.each(own)('%s with another value is found', async (path) => {
    const { expected, found, hash } = await expectEdited(sequence, withValue(path, anotherOfItsType))
    if (path !== 'hash') expect(expected).toBe(hash)
    expect(found).toMatch(/^[0-9a-f]{64}$/)
    expect(found).not.toBe(expected)
  })

  it.each(own)('%s in another type is found', async (path) => {
    await expectEdited(sequence, withValue(path, sameInAnotherType))
  })

  it.each(own)('%s taken out is found', async (path) => {
    await expectEdited(sequence, (entry) => {
      const [name = '', inner] = path.split('.')
      if (inner === undefined) delete entry[name]
      else if (name === 'flags') entry.flags.splice(Number(inner), 1)
      else delete entry[name][inner]
      return entry
    })
  })

  it.each(own.filter((path) => !path.includes('.')))('%s under another name is found', async (path) => {
    await expectEdited(sequence, (entry) =>
      Object.fromEntries(
        Object.entries(entry).map(([name, value]) => [name === path ? `${name.slice(1)}x` : name, value]),
      ),
    )
  })

  it('an added field is found, wherever it is', async () => {
    const added = { notes: 'nothing' }
    await expectEdited(sequence, (entry) => ({ ...entry, ...added }))
    await expectEdited(sequence, (entry) => ({ ...added, ...entry }))
    await expectEdited(sequence, ({ hash, ...entry }) => ({ ...entry, ...added, hash }))
    await expectEdited(sequence, (entry) => ({ ...entry, metadata: { ...entry.metadata, ...added } }))
    await expectEdited(sequence, (entry) => ({ ...entry, flags: [...entry.flags, 'late'] }))
  })

  it('fields in another order are found', async () => {
    const names = Object.keys(await site.entry(site.first, sequence))
    for (const [at, name] of names.entries()) {
      // MongoDB moves the _id to the front itself.
      if (at < 2) continue
      const order = [...names.slice(0, at - 1), name, names[at - 1] as string, ...names.slice(at + 1)]
      await expectEdited(sequence, (entry) => Object.fromEntries(order.map((key) => [key, entry[key]])))
    }
    await expectEdited(sequence, ({ metadata: { source, ...rest }, ...entry }) => {
      const { hash, ...before } = entry
      return withMetadata(before, { ...rest, source }, hash)
    })
  })

  it('a negative zero in place of zero is found', async () => {
    await expectEdited(
      sequence,
      withValue('cumulativeProduction', (value) => new Double(value === undefined ? 0 : -0)),
    )
  })

  it('another format version is named as such', async () => {
    const { report } = await reportAfter(
      sequence,
      withValue('formatVersion', () => new Double(2)),
    )
    expect(report.findings).toEqual([
      expect.objectContaining({ damage: 'unknown_version', sequence, expected: '1', found: '2' }),
    ])
    await expectEdited(
      sequence,
      withValue('formatVersion', () => new Int32(1)),
    )
  })

  it('another id is found', async () => {
    await expectEdited(
      sequence,
      withValue('_id', () => new ObjectId()),
    )
    await expectEdited(
      sequence,
      withValue('_id', (id) => String(id)),
    )
  })
})

/** The entry with its metadata in their place. */
function withMetadata(entry: Document, metadata: Document, hash: unknown): Document {
  const place = ['personalCommitment', 'idempotencyKey']
  const names = Object.keys(entry)
  const at = names.findIndex((name) => place.includes(name))
  const ordered = [...names.slice(0, at), 'metadata', ...names.slice(at)]
  return { ...Object.fromEntries(ordered.map((name) => [name, name === 'metadata' ? metadata : entry[name]])), hash }
}

describe('an adjustment', () => {
  it.each(['energyWs', 'productionWs', 'cost'])('with another %s is found', async (name) => {
    await expectEdited(4, withValue(`adjustment.${name}`, anotherOfItsType))
    await expectEdited(4, withValue(`adjustment.${name}`, sameInAnotherType))
  })
})

describe('the commitment to personal data', () => {
  it('with another value, or taken out, is found', async () => {
    for (const change of [
      withValue('personalCommitment', anotherOfItsType),
      withValue('personalCommitment', () => ({ $gt: '' })),
      withValue('personalCommitment', () => ({ $unknown: 1 })),
      ({ personalCommitment: _, ...entry }: Document) => entry,
    ]) {
      const { report } = await reportAfter(2, change)
      expect(report.valid).toBe(false)
      expect(report.invalidEntry).toMatchObject({ damage: 'edited', where: 'entry', sequence: 2 })
    }
  })
})

describe('the place of an entry', () => {
  afterEach(() => site.restore())

  it('with another number is found where the entry belongs', async () => {
    for (const number of [99, 0, -3, 2.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      const { expected, hash } = await expectEdited(
        2,
        withValue('sequence', () => new Double(number)),
      )
      expect(expected).toBe(hash)
    }
    for (const value of [new Int32(2), Long.fromNumber(2), '2', null, { n: 2 }])
      await expectEdited(
        2,
        withValue('sequence', () => value),
      )
    await expectEdited(
      6,
      withValue('sequence', () => new Double(99)),
    )
  })

  it('at the end of the chain, with another number, is found where it is now', async () => {
    const { report } = await reportAfter(
      7,
      withValue('sequence', () => new Double(9)),
    )
    expect(report.findings).toEqual([
      expect.objectContaining({ damage: 'deleted', sequence: 7, throughSequence: 8 }),
      expect.objectContaining({ damage: 'edited', sequence: 9 }),
    ])
  })

  it('in another chain is found in both', async () => {
    const stranger = new ObjectId()
    const { report } = await reportAfter(
      2,
      withValue('switchId', () => stranger),
    )
    expect(report.findings).toContainEqual(
      expect.objectContaining({ damage: 'deleted', switchId: site.first.switchId.toHexString(), sequence: 2 }),
    )
    expect(report.findings).toContainEqual(
      expect.objectContaining({ damage: 'edited', switchId: stranger.toHexString(), sequence: 2 }),
    )
  })

  it('in no chain is found', async () => {
    for (const value of ['no id', null, new Double(1)]) {
      const { report, entryId } = await reportAfter(
        2,
        withValue('switchId', () => value),
      )
      expect(report.findings).toContainEqual(expect.objectContaining({ damage: 'deleted', sequence: 2 }))
      expect(report.findings).toContainEqual(expect.objectContaining({ damage: 'edited', where: 'entry', entryId }))
    }
  })
})
