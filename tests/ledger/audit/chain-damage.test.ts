import { Binary, Double, ObjectId } from 'mongodb'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Finding, VerificationReport } from '../../../src/ledger/audit/finding.js'
import { setUpDatabase } from '../../support/database.js'
import { hex } from '../support/chains.js'
import { anEvent, at } from '../support/events.js'
import { forged, rewrittenFrom, Site } from './support/site.js'

const database = setUpDatabase()
let site: Site
let notes: readonly string[]
const noAnchor = expect.stringContaining('cannot be excluded that chains were cut at their ends, or rewritten')

beforeAll(async () => {
  site = await Site.build(database)
  notes = await site.notes()
})

afterEach(() => site.restore())

const idOf = (which: 'first' | 'second') => site[which].switchId.toHexString()
const kinds = ({ findings }: VerificationReport) =>
  findings.map(({ damage, where, sequence, throughSequence }) => ({ damage, where, sequence, throughSequence }))

function damage(kind: Finding['damage'], sequence: number, throughSequence?: number) {
  return { damage: kind, where: 'entry', sequence, throughSequence }
}

/** What a verification of everything finds, one of the switch finds, too; and in any physical order. */
async function verdict(which: 'first' | 'second'): Promise<VerificationReport> {
  const report = await site.verify()
  const { deviceId, switchId } = site[which]
  const ofSwitch = await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)
  const ofThis = report.findings.filter((finding) => finding.switchId === switchId.toHexString())
  expect(ofSwitch.findings).toEqual(ofThis)
  expect(ofSwitch.valid).toBe(ofThis.length === 0)
  const documents = await site.documents('entries')
  for (const order of [documents.toReversed(), documents.toSorted(() => Math.random() - 0.5)]) {
    await site.fill('entries', order)
    expect(await site.verify()).toEqual(report)
  }
  return report
}

describe('entries that are gone', () => {
  it('are named where they were: the first, one in the middle, the last of a signed part', async () => {
    for (const sequence of [1, 2, 3, 5, 6]) {
      await site.remove('entries', { switchId: site.first.switchId, sequence })
      const report = await verdict('first')
      expect(kinds(report)).toEqual([damage('deleted', sequence)])
      expect(report.invalidEntry).toMatchObject({ switchId: idOf('first'), sequence, found: 'nothing' })
      await site.restore()
      expect((await verdict('first')).valid).toBe(true)
    }
  })

  it('are named with the hash that they had, where something tells it', async () => {
    const { hash } = await site.plain(site.first, 2)
    await site.remove('entries', { hash })
    expect((await site.verify()).invalidEntry).toMatchObject({ sequence: 2, expected: hex(hash) })
  })

  it('beside each other are one finding', async () => {
    await site.remove('entries', { switchId: site.first.switchId, sequence: { $in: [2, 3, 4] } })
    expect(kinds(await verdict('first'))).toEqual([damage('deleted', 2, 4)])
  })

  it('at the end of a chain are named as cut off, as far as a checkpoint covers them', async () => {
    await site.remove('entries', { switchId: site.first.switchId, sequence: { $gte: 4 } })
    const report = await verdict('first')
    expect(kinds(report)).toEqual([damage('truncated', 4, 5)])
    expect(report.invalidEntry).toMatchObject({ switchId: idOf('first'), found: 'nothing' })
  })

  it('of a whole chain are named', async () => {
    await site.remove('entries', { switchId: site.second.switchId })
    const report = await verdict('second')
    expect(kinds(report)).toEqual([damage('truncated', 1, 3)])
    expect(report.invalidEntry?.switchId).toBe(idOf('second'))
  })

  it('of all chains are named, and nothing is valid then', async () => {
    await site.fill('entries', [])
    const report = await site.verify()
    expect(report).toMatchObject({ valid: false, entries: 0 })
    expect(report.findings.map(({ damage: kind }) => kind)).toEqual(['truncated', 'truncated'])
    expect(report.caveats).toContain('There was nothing to verify.')
  })

  it('after the newest checkpoint are not missed, and the report says so', async () => {
    await site.remove('entries', { switchId: site.first.switchId, sequence: { $gte: 6 } })
    const report = await verdict('first')
    expect(report.valid).toBe(true)
    expect(report.caveats).toContainEqual(noAnchor)
  })

  it('together with everything that the database knows of them are not missed, unless a checkpoint is known outside', async () => {
    for (const name of ['entries', 'checkpoints', 'tiles', 'segments', 'personal'] as const) await site.fill(name, [])
    const report = await site.verify()
    expect(report).toMatchObject({ valid: false, findings: [] })
    expect((await site.verify({ knownCheckpoint: notes[0] as string })).findings).toEqual([
      expect.objectContaining({ damage: 'truncated', where: 'checkpoint', checkpointSize: 5, found: '0 entries' }),
    ])
  })
})

describe('entries that were put in', () => {
  beforeEach(() => site.unprotect())
  afterEach(async () => {
    await site.restore()
    await site.protect()
  })

  it('at a place that is taken are named, and the genuine one is not', async () => {
    const entry = await site.plain(site.first, 2)
    const twin = forged(entry, { powerState: false, previousHash: new Binary(Buffer.alloc(32, 0xff)) })
    await site.insert('entries', twin)
    const report = await verdict('first')
    expect(kinds(report)).toEqual([damage('inserted', 2)])
    expect(report.invalidEntry).toMatchObject({
      entryId: String(twin._id),
      expected: hex(entry.hash),
      found: hex(twin.hash),
    })
  })

  it('a copy of an entry is named', async () => {
    const copy = { ...(await site.entry(site.first, 3)), _id: new ObjectId() }
    await site.insert('entries', copy)
    const report = await verdict('first')
    expect(kinds(report)).toEqual([damage('inserted', 3)])
    expect(report.invalidEntry?.entryId).toBe(String(copy._id))
  })

  it.each([0, -1, 2.5, Number.NaN, Number.NEGATIVE_INFINITY])('with the number %d are named', async (sequence) => {
    const alien = forged(await site.plain(site.first, 2), { sequence })
    await site.insert('entries', alien)
    const report = await verdict('first')
    expect(kinds(report)).toEqual([damage('inserted', sequence)])
    expect(report.invalidEntry).toMatchObject({ entryId: String(alien._id), found: hex(alien.hash) })
  })

  it('behind the end, with a hole before them, are named', async () => {
    await site.insert('entries', forged(await site.plain(site.second, 2), { sequence: 9 }))
    const report = await verdict('second')
    expect(report.valid).toBe(false)
    expect(report.invalidEntry).toMatchObject({ damage: 'deleted', sequence: 5, throughSequence: 8 })
  })

  it('behind a signed end, with a link to something else, are named', async () => {
    await site.protect()
    await site.checkpoint()
    await site.unprotect()
    await site.insert('entries', forged(await site.plain(site.second, 2), { sequence: 5 }))
    expect(kinds(await verdict('second'))).toEqual([damage('inserted', 5)])
  })

  it('from a foreign chain are named', async () => {
    await site.protect()
    await site.checkpoint()
    await site.unprotect()
    const foreign = await site.plain(site.second, 3)
    await site.insert('entries', forged(foreign, { switchId: site.first.switchId, sequence: 8 }))
    expect(kinds(await verdict('first'))).toEqual([damage('inserted', 8)])
  })

  it('behind an end that nobody has signed are named by the link that is broken', async () => {
    const last = await site.plain(site.second, 4)
    await site.insert('entries', forged(await site.plain(site.second, 2), { sequence: 5 }))
    const report = await verdict('second')
    // Either may be the false one: entry 4 with a new hash, or entry 5.
    expect(kinds(report)).toEqual([damage('rewritten', 4)])
    expect(report.invalidEntry).toMatchObject({
      found: hex(last.hash),
      expected: hex((await site.plain(site.second, 5)).previousHash),
    })
  })

  it('as a fork are named, to the end of the fork', async () => {
    for (const place of [3, 6]) {
      const genuine = await site.plain(site.first, place)
      const fork = forged(genuine, { powerRating: 1 })
      await site.insert('entries', fork)
      expect(kinds(await verdict('first'))).toEqual([damage('forked', place)])
      const next = forged(await site.plain(site.first, place + 1), { previousHash: fork.hash })
      await site.insert('entries', next)
      const report = await verdict('first')
      expect(kinds(report)).toEqual([damage('forked', place, place + 1)])
      expect(report.invalidEntry).toMatchObject({ expected: hex(genuine.hash), found: hex(fork.hash) })
      await site.restore()
    }
  })

  it('as a fork of the last entry are named: the younger of the two', async () => {
    const fork = forged(await site.plain(site.first, 7), { powerRating: 1 })
    await site.insert('entries', fork)
    const report = await verdict('first')
    expect(kinds(report)).toEqual([damage('forked', 7)])
    expect(report.invalidEntry?.entryId).toBe(String(fork._id))
  })

  it('that are nothing like entries are named', async () => {
    const alien = { _id: 'x', note: 'hello' }
    await site.insert('entries', alien as never)
    const near = { _id: new ObjectId(), switchId: site.first.switchId, sequence: new Double(3) }
    await site.insert('entries', near)
    const report = await site.verify()
    expect(report.valid).toBe(false)
    expect(report.findings).toEqual([
      expect.objectContaining({ damage: 'inserted', sequence: 3, entryId: String(near._id) }),
      expect.objectContaining({ damage: 'edited', where: 'entry', entryId: 'x' }),
    ])
  })
})

describe('entries in one another’s places', () => {
  beforeEach(() => site.unprotect())
  afterEach(async () => {
    await site.restore()
    await site.protect()
  })

  it('are named as reordered', async () => {
    const { switchId } = site.first
    await site.edit('entries', { switchId, sequence: 2 }, { $set: { sequence: new Double(-1) } })
    await site.edit('entries', { switchId, sequence: 3 }, { $set: { sequence: new Double(2) } })
    await site.edit('entries', { switchId, sequence: -1 }, { $set: { sequence: new Double(3) } })
    expect(kinds(await verdict('first'))).toEqual([damage('reordered', 2, 3)])
  })

  it('are named as reordered after the newest checkpoint, too', async () => {
    const { switchId } = site.first
    await site.volt.ledger.append([anEvent({ ...site.first, timestamp: at(3600) })])
    await site.edit('entries', { switchId, sequence: 6 }, { $set: { sequence: new Double(-1) } })
    await site.edit('entries', { switchId, sequence: 7 }, { $set: { sequence: new Double(6) } })
    await site.edit('entries', { switchId, sequence: -1 }, { $set: { sequence: new Double(7) } })
    expect(kinds(await verdict('first'))).toEqual([damage('reordered', 6, 7)])
  })
})

describe('a chain with new hashes', () => {
  const rewrite = async (which: 'first' | 'second', sequence: number) => {
    const rewritten = rewrittenFrom(await site.chain(site[which]), sequence, { powerRating: 1 })
    await site.remove('entries', { switchId: site[which].switchId })
    for (const entry of rewritten) await site.insert('entries', entry)
    return rewritten
  }

  it('is named as rewritten from the first place on, as far as a checkpoint covers it', async () => {
    for (const from of [1, 3, 5]) {
      const { hash } = await site.plain(site.first, from)
      const rewritten = await rewrite('first', from)
      const report = await verdict('first')
      expect(kinds(report)).toEqual([damage('rewritten', from, from < 5 ? 5 : undefined)])
      expect(report.invalidEntry).toMatchObject({ expected: hex(hash), found: hex(rewritten[from - 1]?.hash) })
      await site.restore()
    }
  })

  it('after the newest checkpoint is not found, and the report says so; with a later one known outside it is', async () => {
    await site.checkpoint()
    const later = (await site.notes()).at(-1) as string
    await site.restore()
    await rewrite('first', 6)
    const report = await verdict('first')
    expect(report.valid).toBe(true)
    expect(report.caveats).toContainEqual(noAnchor)
    expect(report.caveats).toContainEqual(expect.stringContaining('3 entries came after the newest checkpoint'))
    const compared = await site.verify({ knownCheckpoint: later })
    expect(compared.findings).toEqual([
      expect.objectContaining({ damage: 'truncated', where: 'checkpoint', checkpointSize: 11, found: '8 entries' }),
    ])
  })

  it('is not found without checkpoints, and the report says so', async () => {
    for (const name of ['checkpoints', 'tiles', 'segments'] as const) await site.fill(name, [])
    await rewrite('first', 3)
    const report = await site.verify()
    expect(report).toMatchObject({ valid: true, checkpoint: null, coveredEntries: 0 })
    expect(report.caveats).toEqual([expect.stringContaining('No checkpoint covers the entries'), noAnchor])
  })
})

describe('several chains', () => {
  it('are all named, in the order of their ids, and the first damaged entry is that of the first of them', async () => {
    for (const own of [site.first, site.second])
      await site.edit('entries', { switchId: own.switchId, sequence: 2 }, { $set: { powerState: false } })
    const report = await verdict('first')
    const ids = [idOf('first'), idOf('second')].sort()
    expect(report.findings.map(({ switchId }) => switchId)).toEqual(ids)
    expect(report.invalidEntry?.switchId).toBe(ids[0])
  })
})
