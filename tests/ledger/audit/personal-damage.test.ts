import { Binary, ObjectId } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { erasureKey, erasureOf } from '../../../src/ledger/personal/erasure.js'
import { setUpDatabase } from '../../support/database.js'
import { hex } from '../support/chains.js'
import { forged, Site } from './support/site.js'

const database = setUpDatabase()
let site: Site

beforeAll(async () => {
  site = await Site.build(database)
})

afterEach(() => site.restore())

describe('personal data', () => {
  it.each<[string, unknown]>([
    ['text', '{"notes":"seen by nobody"}'],
    ['text', 5],
    ['text', null],
    ['text', ['a']],
    ['salt', 'f'.repeat(64)],
    ['salt', ''],
    ['salt', 7],
    ['salt', new Binary(Buffer.alloc(32))],
    ['salt', new Binary(Buffer.alloc(31))],
  ])('with another %s (%s) is named, with its entry and commitment', async (field, value) => {
    const entry = await site.plain(site.first, 2)
    await site.edit('personal', { commitment: entry.personalCommitment }, { $set: { [field]: value } })
    const report = await site.verify()
    expect(report).toMatchObject({ valid: false, invalidEntry: null })
    expect(report.findings).toEqual([
      {
        damage: 'edited',
        where: 'personal_data',
        switchId: site.first.switchId.toHexString(),
        sequence: 2,
        entryId: entry._id.toHexString(),
        expected: hex(entry.personalCommitment),
        found: expect.any(String),
      },
    ])
    const { deviceId, switchId } = site.first
    expect((await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)).findings).toEqual(report.findings)
  })

  it('whose salt is written in another way is named, also where the same bytes were hashed', async () => {
    const entry = await site.plain(site.first, 2)
    const [data] = (await site.documents('personal')).filter(
      ({ commitment }) => hex(commitment) === hex(entry.personalCommitment),
    )
    const bytes = Buffer.from(data?.salt.buffer)
    const longer = { salt: new Binary(Buffer.concat([bytes, Buffer.from('{')])), text: data?.text.slice(1) }
    for (const changed of [
      { salt: hex(data?.salt) },
      { salt: new Binary(bytes, Binary.SUBTYPE_USER_DEFINED) },
      longer,
    ]) {
      await site.edit('personal', { commitment: entry.personalCommitment }, { $set: changed })
      expect((await site.verify()).findings).toMatchObject([{ damage: 'edited', where: 'personal_data', sequence: 2 }])
    }
  })

  it('that is gone without an erasure is named', async () => {
    for (const sequence of [2, 5]) {
      const { personalCommitment } = await site.plain(site.first, sequence)
      await site.remove('personal', { commitment: personalCommitment })
      expect((await site.verify()).findings).toMatchObject([
        { damage: 'deleted', where: 'personal_data', sequence, expected: hex(personalCommitment) },
      ])
      await site.restore()
    }
  })

  it('that was put into another chain, or under another commitment, is named', async () => {
    const { personalCommitment } = await site.plain(site.first, 2)
    await site.edit('personal', { commitment: personalCommitment }, { $set: { switchId: site.second.switchId } })
    expect((await site.verify()).findings).toMatchObject([
      { damage: 'deleted', where: 'personal_data', sequence: 2 },
      { damage: 'inserted', where: 'personal_data', switchId: site.second.switchId.toHexString() },
    ])
  })

  it('that was erased is not missed, and its absence is not excused by an entry of another kind', async () => {
    const entry = await site.plain(site.first, 2)
    await site.volt.ledger.erasePersonalData(entry._id)
    expect((await site.verify()).valid).toBe(true)
    await site.edit(
      'entries',
      { idempotencyKey: `erasure:${hex(entry.hash)}` },
      { $set: { eventType: 'power_reading' } },
    )
    expect((await site.verify()).findings).toMatchObject([
      { damage: 'edited', where: 'entry', sequence: 8 },
      { damage: 'deleted', where: 'personal_data', sequence: 2 },
    ])
  })

  it('that was erased and put back is found, and neither returned nor exported', async () => {
    const entry = await site.plain(site.first, 2)
    const [data] = (await site.documents('personal')).filter(
      ({ commitment }) => hex(commitment) === hex(entry.personalCommitment),
    )
    await site.volt.ledger.erasePersonalData(entry._id)
    await site.checkpoint()
    await site.insert('personal', data ?? {})
    expect((await site.verify()).findings).toMatchObject([
      { damage: 'inserted', where: 'personal_data', sequence: 2, found: 'what an entry has erased' },
    ])
    expect(await site.volt.ledger.personalDataOf(entry._id)).toBeNull()
    let text = ''
    for await (const piece of site.volt.ledger.export({ personalData: true })) text += piece
    expect(text).not.toContain(hex(entry.personalCommitment))
    const still = await site.plain(site.first, 5)
    expect(text).toContain(hex(still.personalCommitment))
    await site.volt.ledger.erasePersonalData(entry._id)
    expect((await site.verify()).findings).toEqual([])
  })

  it.each([
    ['of no entry', (): object => ({ commitment: new Binary(Buffer.alloc(32, 7)) })],
    ['whose commitment is none', (): object => ({ commitment: 'text' })],
    ['whose commitment asks for anything', (): object => ({ commitment: { $exists: true } })],
    ['of no switch', (): object => ({ switchId: null })],
  ])('that is %s is found as put in', async (_, change) => {
    const [data] = await site.documents('personal')
    await site.insert('personal', { ...data, _id: new ObjectId(), ...change() })
    expect((await site.verify()).findings).toMatchObject([{ damage: 'inserted', where: 'personal_data' }])
  })

  it('that is there twice is found', async () => {
    const [data] = await site.documents('personal')
    await site.collection('personal').dropIndexes()
    await site.insert('personal', { ...data, _id: new ObjectId() })
    expect((await site.verify()).findings).toMatchObject([{ damage: 'edited', found: 'two of them' }])
    await site.restore()
    await site.protect()
  })

  it('is erased by an entry only if there was some: an erasure of nothing is found', async () => {
    const entry = await site.plain(site.first, 3)
    const last = (await site.chain(site.first)).at(-1)
    const erasure = {
      ...erasureOf(entry, new Date()),
      formatVersion: 1 as const,
      sequence: 8,
      previousHash: last?.hash as Binary,
      cumulativeEnergy: last?.cumulativeEnergy ?? 0,
      cumulativeProduction: last?.cumulativeProduction ?? 0,
      calculatedCost: last?.calculatedCost ?? 0,
    }
    for (const erased of [entry.hash, new Binary(Buffer.alloc(32, 3))]) {
      const key = erasureKey(erased)
      await site.insert(
        'entries',
        forged({ ...erasure, _id: new ObjectId(), hash: erased }, { erases: erased, idempotencyKey: key }),
      )
      expect((await site.verify()).findings).toMatchObject([
        { damage: 'inserted', where: 'personal_data', sequence: 8 },
      ])
      await site.restore()
    }
  })
})
