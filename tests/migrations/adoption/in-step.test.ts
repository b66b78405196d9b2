import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { openVolt } from '../../support/volt.js'
import { expectAdopted } from './expect-adopted.js'
import { loadOrigin, originDocuments } from './origin-data.js'

const frontLights = '68da2060000003b10000000b'
const mainDevice = new ObjectId('68da2060000002b100000001')

describe('the origin goes on', () => {
  it('keeps the chains of switches whose device was edited there, which gives all of them new ids', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await loadOrigin(origin.db, 'autovolt')
    const volt = await openVolt(target)
    const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
    const first = await volt.migrations.adopt(options)
    const devices = origin.db.collection('devices')
    const device = await devices.findOne({ _id: mainDevice })
    const switches = device?.switches.map((one: object, at: number) => ({
      ...one,
      _id: new ObjectId(),
      ...(at === 1 ? { name: 'Rear Lights' } : {}),
    }))
    await devices.updateOne({ _id: mainDevice }, { $set: { name: 'Room101_West', switches } })
    const timestamp = new Date('2025-11-17T04:00:00Z')
    const press = { deviceId: mainDevice, deviceName: 'Room101_West', switchName: 'Front Lights', triggeredBy: 'user' }
    await origin.db.collection('activitylogs').insertMany([
      { ...press, switchId: String(switches[0]._id), action: 'on', timestamp },
      { ...press, switchId: String(switches[0]._id), action: 'off', timestamp: new Date('2025-11-17T05:00:00Z') },
    ])
    const second = await volt.migrations.adopt(options)
    expect(second.adopted.ledgerEntries).toBe(first.adopted.ledgerEntries + 2)
    const ours = await volt.devices.get(mainDevice)
    expect(ours.name).toBe('Room101_West')
    // By name, and the one that was renamed by its pin.
    expect(ours.switches.map(({ _id, name }) => [_id.toHexString(), name]).slice(0, 2)).toEqual([
      [frontLights, 'Front Lights'],
      ['68da2060000003b10000000c', 'Rear Lights'],
    ])
    const entries = target.db.collection('power_consumption_ledger')
    expect(await entries.distinct('switchId')).toHaveLength(10 + 2)
    expect(second.switches.find(({ name }) => name === 'Front Lights')?.ledgerEnergyWs).toBe(8_880_000 + 144_000)
  })

  it('takes what has changed there since, unless it was changed here too: then it is noted', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await loadOrigin(origin.db, 'autovolt')
    const volt = await openVolt(target)
    const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
    await volt.migrations.adopt(options)
    const users = origin.db.collection('users')
    const [one, other] = [new ObjectId('68ce34d0000001b100000001'), new ObjectId('68ce34d0000001b100000003')]
    await volt.users.update(other, { name: 'Changed here' })
    await users.updateMany({ _id: { $in: [one, other] } }, { $set: { name: 'Changed there' } })
    await volt.migrations.adopt(options)
    expect([(await volt.users.get(one)).name, (await volt.users.get(other)).name]).toEqual([
      'Changed there',
      'Changed here',
    ])
    const found = await target.db.collection('adoption_rejects').findOne({ originId: other.toHexString() })
    expect(found).toMatchObject({ kind: 'noted', reason: expect.stringContaining('what is here stays') })
  })

  it('is followed by its change stream until the cut-over', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    await loadOrigin(origin.db, 'autovolt')
    const later = { timestamp: { $gte: new Date('2025-11-12T18:30:00Z') } }
    await origin.db.collection('activitylogs').deleteMany(later)
    await origin.db.collection('powerreadings').deleteMany({})
    const volt = await openVolt(target)
    const stopped = new AbortController()
    const steps: number[] = []
    const followed = volt.migrations.followAdoption({
      from: origin.dbName,
      timeZone: 'Asia/Kolkata',
      signal: stopped.signal,
      onStep: ({ changes }) => steps.push(changes),
    })
    await eventually('the first run is done', () => steps.length === 1, { timeoutMs: 120_000 })
    let inserted = 0
    for (const name of ['activitylogs', 'powerreadings']) {
      const known = new Set((await origin.db.collection(name).distinct('_id')).map(String))
      const missing =
        originDocuments('autovolt')
          .get(name)
          ?.filter(({ _id }) => !known.has(String(_id))) ?? []
      await origin.db.collection(name).insertMany(missing)
      inserted += missing.length
    }
    const taken = () => steps.reduce((sum, count) => sum + count, 0)
    await eventually('all changes are taken', () => taken() === inserted, { timeoutMs: 120_000 })
    stopped.abort()
    expect((await followed).isAssessment).toBe(false)
    // What is of no device of ours is reported by a whole run.
    await volt.migrations.adopt({ from: origin.dbName, timeZone: 'Asia/Kolkata' })
    await expectAdopted(volt, target.db)
  })
})
