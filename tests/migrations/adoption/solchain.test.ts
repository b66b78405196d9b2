import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { AdoptionReport } from '../../../src/migrations/index.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { loadSolchain } from './origin-data.js'

const origin = testDatabase()
const target = testDatabase()
const options = { from: origin.dbName, timeZone: 'UTC', currency: 'EUR', site: 'Rooftops' }
let volt: AutoVolt
let report: AdoptionReport

beforeAll(async () => {
  await loadSolchain(origin.db)
  volt = await openVolt(target)
  await volt.migrations.adopt(options)
  report = await volt.migrations.adopt(options)
})

const idOf = async (originCollection: string, originId: string) => {
  const extra = await target.db.collection('adoption_extras').findOne({ originCollection, originId })
  return extra?.adoptedId
}

describe('a database of SolChain', () => {
  it('yields what fits, once', async () => {
    expect(report).toMatchObject({
      system: 'solchain',
      adopted: { users: 5, devices: 4, measurements: 26, marketOrders: 3 },
    })
    for (const [name, count] of Object.entries({ users: 5, devices: 4, energy_measurements: 26, classrooms: 1 }))
      expect([name, await target.db.collection(name).countDocuments()]).toEqual([name, count])
    expect(await volt.classrooms.findOne({ name: 'Rooftops' })).toMatchObject({ timeZone: 'UTC' })
    expect((await volt.ledger.verify()).findings).toEqual([])
  })

  it('finds users again by the numbers that they had', async () => {
    const user = await volt.users.get(await idOf('users', '1'))
    expect(user).toMatchObject({ email: 'solar1@example.org', userType: 'prosumer', name: 'Person Rahman' })
    const device = await volt.devices.get(await idOf('iot_devices', '3'))
    expect(device).toMatchObject({ macAddress: '02:00:5E:20:00:03', energyRole: 'production' })
    expect(device.owner).toEqual(await idOf('users', '2'))
  })

  it('has the energy of each device and day of UTC, produced and consumed, in the ledger and in reports', async () => {
    await volt.rollUps.update()
    for (const [user, produced, consumed] of [
      ['1', 10.3, 2.4],
      ['2', 5, 1.2],
      ['3', 0, 2.4],
    ] as const) {
      const after = await volt.analytics.energyBalance({ user: await idOf('users', user), days: 1, to: '2025-08-22' })
      expect([user, after.productionKwh, after.consumptionKwh]).toEqual([user, produced, consumed])
    }
    expect(report.wholeDevices).toHaveLength(3)
  })

  it('names each row that was left, with its reason', async () => {
    const rejects = await target.db
      .collection('adoption_rejects')
      .find({ kind: 'left' })
      .map(({ originCollection, originId, reason }) => [originCollection, Number(originId), reason])
      .toArray()
    expect(rejects.toSorted((a, b) => `${a[0]}`.localeCompare(`${b[0]}`) || a[1] - b[1])).toEqual([
      ['energy_data', 14, 'no number'],
      ['energy_data', 15, 'the same device and instant once more'],
      ['energy_data', 16, 'less than nothing'],
      ['energy_data', 17, 'of a device that is not there'],
      ['energy_data', 18, 'of a user that is not there'],
      ['energy_data', 19, 'a time in a form that is not known'],
      ['energy_data', 20, 'a battery of more than 100 %'],
      ['iot_devices', 5, 'the MAC address of 4 in another spelling'],
      ['iot_devices', 6, 'of a user that is not there, and without a MAC address'],
      ['trading', 4, 'the total is not amount by price'],
      ['trading', 5, 'with oneself'],
      ['trading', 6, 'expired before it was made'],
      ['trading', 7, 'of a user that is not there'],
      ['transactions', 3, 'for a trade that was left'],
      ['transactions', 5, 'amount has more than 6 decimals, or is out of range'],
      ['transactions', 6, 'amount has more than 6 decimals, or is out of range'],
      ['transactions', 7, 'of a user that is not there'],
      ['users', 5, 'the address of 1 in another spelling'],
      ['users', 7, 'no e-mail address'],
    ])
    const of = Object.fromEntries(report.collections.map((one) => [one.collection, one]))
    expect(of.trading).toMatchObject({ documents: 7, treatment: 'adopted', left: 4 })
    expect(await volt.market.transactions.find({ type: 'energy_trade' })).toHaveLength(2)
  })

  it('takes no secret along', async () => {
    for (const name of ['adoption_extras', 'adoption_rejects', 'users']) {
      const documents = await target.db.collection(name).find().toArray()
      expect(JSON.stringify(documents)).not.toMatch(/\$2b\$|kyc|wallet|0x1111/)
    }
  })
})
