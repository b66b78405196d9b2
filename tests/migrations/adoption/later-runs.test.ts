import { describe, expect, it } from 'vitest'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { expectAdopted } from './expect-adopted.js'
import { loadOrigin, originDocuments } from './origin-data.js'

describe('a run after others', () => {
  it('takes what has come since, to what one run would have made', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    const later = { timestamp: { $gte: new Date('2025-11-12T18:30:00Z') } }
    await loadOrigin(origin.db, 'autovolt')
    await origin.db.collection('activitylogs').deleteMany(later)
    await origin.db.collection('users').deleteOne({ email: 'rosa.adeyemi@example.org' })
    const volt = await openVolt(target)
    const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
    const first = await volt.migrations.adopt(options)
    expect(first.adopted.ledgerEntries).toBeLessThan(142)
    for (const name of ['users', 'activitylogs']) {
      const found = await origin.db.collection(name).distinct('_id')
      const known = new Set(found.map(String))
      const missing =
        originDocuments('autovolt')
          .get(name)
          ?.filter(({ _id }) => !known.has(String(_id))) ?? []
      await origin.db.collection(name).insertMany(missing)
    }
    await volt.migrations.adopt(options)
    await expectAdopted(volt, target.db)
  })

  it('does not find any more what was corrected in the origin', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await loadOrigin(origin.db, 'autovolt')
    const volt = await openVolt(target)
    const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
    await volt.migrations.adopt(options)
    const annex = { originCollection: 'devices', originId: '68da2060000002b100000006' }
    const rejects = target.db.collection('adoption_rejects')
    expect(await rejects.countDocuments(annex)).toBe(1)
    await origin.db
      .collection('devices')
      .updateOne({ macAddress: '02:00:5e:10:00:04' }, { $set: { macAddress: '02:00:5e:10:00:14' } })
    expect((await volt.migrations.adopt(options)).adopted.devices).toBe(6)
    expect(await rejects.countDocuments({ ...annex, kind: 'left' })).toBe(0)
  })
})

describe('the databases of other systems', () => {
  it('give the users that fit: those of Maestro, with ids that were texts, and no secret of theirs', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await loadOrigin(origin.db, 'maestro')
    const volt = await openVolt(target)
    const report = await volt.migrations.adopt({ from: origin.dbName, timeZone: 'Europe/Rome', currency: 'EUR' })
    expect(report).toMatchObject({ system: 'maestro', adopted: { users: 8, devices: 0, ledgerEntries: 0 } })
    const of = Object.fromEntries(report.collections.map((one) => [one.collection, one]))
    expect(of.devices).toMatchObject({ documents: 8, treatment: 'stays' })
    const extras = await target.db.collection('adoption_extras').find().toArray()
    expect(JSON.stringify(extras)).not.toMatch(/Token|\$2b\$/)
  })

  it('are refused document by document where nothing fits, as of Jupiter', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await loadOrigin(origin.db, 'jupiter')
    const volt = await openVolt(target)
    const report = await volt.migrations.adopt({ from: origin.dbName, timeZone: 'UTC' })
    expect(report).toMatchObject({ system: 'jupiter', adopted: { users: 0 } })
    const users = report.collections.find(({ collection }) => collection === 'users')
    expect(users).toMatchObject({ documents: 8, left: 8 })
    const rejects = await target.db.collection('adoption_rejects').find().toArray()
    expect(rejects).toHaveLength(8)
    expect(JSON.stringify(rejects)).not.toMatch(/otp|twofa/)
  })
})
