import { BSON, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { classifyChain, type EntrySummary } from '../../../src/ledger/audit/classify-chain.js'
import { explainFinding } from '../../../src/ledger/audit/explain-finding.js'
import { Findings } from '../../../src/ledger/audit/finding.js'
import { computedHash } from '../../../src/ledger/entry/stored-bytes.js'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { slice } from '../../support/extent.js'
import { insertRaw } from '../../support/raw-insert.js'
import { BsonElements } from '../support/bson-elements.js'
import { notUtf8, strangeValues, withFieldTwice } from '../support/strange-values.js'
import { Site } from './support/site.js'

const database = setUpDatabase()
let site: Site

beforeAll(async () => {
  site = await Site.build(database)
})

afterEach(() => site.restore())

const collections = ['entries', 'checkpoints', 'tiles', 'segments', 'personal'] as const

describe.each(collections)('a document among the %s', (name) => {
  it('of which any field is something else ends in a report that is not valid', async () => {
    const [document] = await site.documents(name)
    const fields = Object.keys(document ?? {}).filter((field) => field !== '_id' && field !== 'signedAt')
    for (const [turn, field] of [...fields, 'added'].entries()) {
      for (const [words, value] of slice(strangeValues, strangeValues.length, turn)) {
        // What it is already changes nothing.
        if (BSON.EJSON.stringify({ value }) === BSON.EJSON.stringify({ value: document?.[field] })) continue
        await site.edit(name, { _id: document?._id }, [
          value === undefined ? { $unset: field } : { $set: { [field]: { $literal: value } } },
        ])
        const report = await site.verify()
        expect([field, words, report.valid]).toEqual([field, words, false])
        expect(report.findingCount).toBe(report.findings.length)
        for (const finding of report.findings) expect(explainFinding(finding).meaning).toMatch(/\.$/)
        await site.restore()
      }
    }
  }, 600_000)

  it('that is one too many is found', async () => {
    for (const stranger of [{ _id: 'stranger' }, { _id: new ObjectId(), switchId: site.first.switchId }]) {
      await site.insert(name, stranger as never)
      const report = await site.verify()
      expect(report.valid).toBe(false)
      await site.restore()
    }
  })
})

describe('a view in the place of the entries', () => {
  it('is found, whatever it shows', async () => {
    const own = testDatabase()
    const { volt } = await Site.build(own)
    const entries = own.db.collection('power_consumption_ledger')
    await entries.rename('elsewhere')
    await own.db.createCollection(entries.collectionName, { viewOn: 'elsewhere', pipeline: [] })
    for (const scope of [{}, { deviceId: new ObjectId() }]) {
      const { valid, findings } = await volt.ledger.verify(scope)
      expect(valid).toBe(false)
      expect(findings).toContainEqual(expect.objectContaining({ damage: 'unexplained', found: 'a view in its place' }))
    }
  })
})

describe('the way to look at a finding', () => {
  it('is that of its kind where the place says nothing more', () => {
    expect(explainFinding({ damage: 'overlapping', where: 'export' }).look).toContain('Leave one of the two out')
    expect(explainFinding({ damage: 'bad_signature', where: 'checkpoint' }).look).toContain('verifier keys')
    expect(explainFinding({ damage: 'edited', where: 'export' }).look).toContain('export it anew')
  })
})

describe('a text that is a symbol, which the driver reads as the same text', () => {
  it.each([
    ['checkpoints', 'note'],
    ['checkpoints', 'origin'],
    ['personal', 'text'],
  ] as const)('is found among the %s (%s)', async (name, field) => {
    const [document] = await site.documents(name)
    const symbol = new BSON.BSONSymbol(String(document?.[field]))
    await site.edit(name, { _id: document?._id }, { $set: { [field]: symbol } })
    expect((await site.verify()).valid).toBe(false)
  })
})

describe('a tile', () => {
  it('beyond the tree, or with more hashes than it has leaves, is found', async () => {
    const [tile] = await site.documents('tiles')
    for (const place of [
      { level: 0, index: 1 },
      { level: 1, index: 0 },
      { level: 6, index: 0 },
    ]) {
      await site.insert('tiles', { ...tile, ...place, _id: new ObjectId() })
      expect((await site.verify()).findings).toMatchObject([{ damage: 'inserted', where: 'tree' }])
      await site.restore()
    }
  })
})

describe('damage of any amount', () => {
  const summary = (sequence: number): EntrySummary => ({
    entryId: sequence.toString(16).padStart(24, '0'),
    sequence,
    formatVersion: 1,
    previous: `${sequence}`.padStart(64, '0'),
    computed: `${sequence}`.padStart(64, 'c'),
    carried: `${sequence}`.padStart(64, 'd'),
    fault: undefined,
    bytes: undefined,
  })

  it('is counted, and the first thousand places are named', () => {
    const entries = Array.from({ length: 130_000 }, (_, at) => summary(at + 1))
    const start = { sequence: 0, hash: '0'.repeat(64) }
    const signed = { hashes: new Map(), through: 0 }
    const findings = new Findings()
    findings.addAll(classifyChain(entries, { switchId: 'a', start, signed }))
    expect(findings.count).toBe(130_000)
    expect(findings.list).toHaveLength(1000)
    expect(findings.firstEntry).toMatchObject({ damage: 'edited', sequence: 1 })
  })

  it('is counted, too, where documents are no entries: in a chain, in none, and in one that is not sound besides', async () => {
    const { switchId } = site.first
    const inChain = (of: ObjectId, count: number) =>
      Array.from({ length: count }, (_, at) => ({
        _id: new ObjectId(),
        switchId: of,
        sequence: 100 + at,
        idempotencyKey: `${at}`,
      }))
    const strangers = [
      ...Array.from({ length: 1200 }, (_, at) => ({ _id: new ObjectId(), sequence: at, idempotencyKey: `${at}` })),
      ...inChain(switchId, 300),
      ...inChain(new ObjectId(), 400),
    ]
    await site.collection('entries').insertMany(strangers, { bypassDocumentValidation: true })
    const report = await site.verify()
    expect(report.findings).toHaveLength(1000)
    expect(report.findingCount).toBe(1900)
  })

  it('is counted at one place, too', () => {
    const entries = Array.from({ length: 200_000 }, (_, at) => ({ ...summary(at + 1), sequence: 1 }))
    const start = { sequence: 0, hash: '0'.repeat(64) }
    const signed = { hashes: new Map(), through: 0 }
    expect(classifyChain(entries, { switchId: 'a', start, signed })).toHaveLength(200_000)
  })

  it('that nobody can name is a finding of its own', () => {
    const start = { sequence: 0, hash: '0'.repeat(64) }
    const sound = { ...summary(1), previous: start.hash, computed: 'a'.repeat(64), carried: 'a'.repeat(64) }
    const accounted = { hashes: new Map([[1, sound.computed]]), through: 1 }
    expect(classifyChain([sound], { switchId: 'a', start, signed: accounted })).toEqual([])
    const unaccounted = { hashes: new Map<number, string>(), through: 1 }
    expect(classifyChain([sound], { switchId: 'a', start, signed: unaccounted })).toMatchObject([
      { damage: 'unexplained', where: 'entry', switchId: 'a' },
    ])
  })
})

describe('an entry that carries the hash of another', () => {
  it.each([
    ['its successor', 3],
    ['the one before it', 1],
    ['one far away', 7],
  ])('(%s) and was edited is named as edited', async (_, other) => {
    const { switchId } = site.first
    const { hash } = await site.entry(site.first, other)
    await site.edit('entries', { switchId, sequence: 2 }, { $set: { powerState: false, hash } })
    expect((await site.verify()).findings).toMatchObject([{ damage: 'edited', where: 'entry', sequence: 2 }])
  })
})

describe('a field that is there twice', () => {
  it.each(['before', 'behind'] as const)('(%s the first) is found in an entry, though its hash fits', async (where) => {
    const { hash, ...entry } = await site.entry(site.first, 7)
    const names = Object.keys(entry).slice(1)
    for (const name of slice(names, 4, where === 'before' ? 1 : 3)) {
      const bytes = withFittingHash(withFieldTwice(entry, name, where))
      await site.remove('entries', { _id: entry._id })
      await insertInto('entries', bytes)
      const report = await site.verify()
      expect([name, report.valid]).toEqual([name, false])
      expect(report.findings).toHaveLength(1)
      await site.restore()
    }
  })

  it.each(collections)('is found among the %s', async (name) => {
    const [document] = await site.documents(name)
    for (const [turn, field] of slice(
      [
        ...Object.keys(document ?? {})
          .slice(1)
          .entries(),
      ],
      2,
    )) {
      for (const where of slice(['before', 'behind'] as const, 2, turn / 2)) {
        await site.remove(name, { _id: document?._id })
        await insertInto(name, withFieldTwice(document ?? {}, field, where))
        const report = await site.verify()
        expect([field, where, report.valid]).toEqual([field, where, false])
        await site.restore()
      }
    }
  })
})

describe('a text that is no UTF-8', () => {
  it.each(collections)('is found among the %s, wherever it stands', async (name) => {
    const [document] = await site.documents(name)
    for (const field of slice([...Object.keys(document ?? {}), 'added'].slice(1), 3, name.length)) {
      await site.remove(name, { _id: document?._id })
      const { [field]: _, ...rest } = document ?? {}
      await insertInto(name, new BsonElements([...BsonElements.of(rest).elements, notUtf8(field)]).toBytes())
      const report = await site.verify()
      expect([field, report.valid]).toEqual([field, false])
      await site.restore()
    }
  })
})

const insertInto = (name: (typeof collections)[number], bytes: Buffer) =>
  insertRaw(database.uri, database.dbName, site.collection(name).collectionName, [bytes])

/** The bytes of an entry without its hash, with the hash that they have behind them. */
function withFittingHash(unhashed: Buffer): Buffer {
  const hashed = (hash: Buffer) => {
    const element = Buffer.concat([Buffer.from('\x05hash\0\x20\0\0\0\0', 'latin1'), hash])
    const bytes = Buffer.concat([unhashed.subarray(0, -1), element, Buffer.alloc(1)])
    bytes.writeInt32LE(bytes.length)
    return bytes
  }
  const buffer = hashed(Buffer.alloc(32))
  return hashed(Buffer.from(computedHash({ buffer, start: 0, length: buffer.length }), 'hex'))
}
