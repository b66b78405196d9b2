import { Binary } from 'mongodb'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../support/database.js'
import { Site } from './support/site.js'

const database = testDatabase()
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
        expected: entry.personalCommitment,
        found: expect.any(String),
      },
    ])
    const { deviceId, switchId } = site.first
    expect((await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)).findings).toEqual(report.findings)
  })

  it('whose salt is written in another way is named: every byte counts', async () => {
    const entry = await site.plain(site.first, 2)
    const [data] = (await site.documents('personal')).filter(
      ({ commitment }) => commitment === entry.personalCommitment,
    )
    for (const salt of [data?.salt.toUpperCase(), `${data?.salt}zz`]) {
      await site.edit('personal', { commitment: entry.personalCommitment }, { $set: { salt } })
      expect((await site.verify()).findings).toMatchObject([{ damage: 'edited', where: 'personal_data', sequence: 2 }])
    }
  })

  it('that is gone without an erasure is named', async () => {
    for (const sequence of [2, 5]) {
      const { personalCommitment } = await site.plain(site.first, sequence)
      await site.remove('personal', { commitment: personalCommitment })
      expect((await site.verify()).findings).toMatchObject([
        { damage: 'deleted', where: 'personal_data', sequence, expected: personalCommitment },
      ])
      await site.restore()
    }
  })

  it('that was put into another chain, or under another commitment, is named', async () => {
    const { personalCommitment } = await site.plain(site.first, 2)
    await site.edit('personal', { commitment: personalCommitment }, { $set: { switchId: site.second.switchId } })
    expect((await site.verify()).findings).toMatchObject([{ damage: 'deleted', where: 'personal_data', sequence: 2 }])
  })

  it('that was erased is not missed, and its absence is not excused by an entry of another kind', async () => {
    const entry = await site.plain(site.first, 2)
    await site.volt.ledger.erasePersonalData(entry._id)
    expect((await site.verify()).valid).toBe(true)
    await site.edit('entries', { idempotencyKey: `erasure:${entry.hash}` }, { $set: { eventType: 'power_reading' } })
    expect((await site.verify()).findings).toMatchObject([
      { damage: 'edited', where: 'entry', sequence: 8 },
      { damage: 'deleted', where: 'personal_data', sequence: 2 },
    ])
  })
})
