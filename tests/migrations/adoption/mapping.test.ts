import { describe, expect, it } from 'vitest'
import type { AdoptionMapping } from '../../../src/migrations/index.js'
import { setUpDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { expectAdopted } from './expect-adopted.js'
import { originDocuments } from './origin-data.js'

const options = { timeZone: 'Asia/Kolkata' }

describe('the mapping of an adoption', () => {
  it('is printed, edited and given back, for a fork with other names', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    for (const [name, documents] of originDocuments('autovolt')) {
      const forked = documents.map(({ action, deviceId, macAddress, ...rest }) => ({
        ...rest,
        ...(name === 'activitylogs' ? { what: action === 'on' ? 'einschalten' : action } : { action }),
        ...(name === 'activitylogs' ? { of: { device: deviceId } } : { deviceId }),
        ...(name === 'devices' ? { hardware: { mac: macAddress } } : { macAddress }),
        ...(name === 'devices' ? { relays: rest.switches, switches: [{ odd: true }] } : {}),
      }))
      await origin.db
        .collection(name === 'activitylogs' ? 'presslogs' : name)
        .insertMany(forked, { ignoreUndefined: true })
    }
    const volt = await openVolt(target)
    const { mapping } = await volt.migrations.assessAdoption({ ...options, from: origin.dbName })
    const edited = JSON.parse(JSON.stringify(mapping))
    const { devices, activitylogs } = edited.collections
    devices.fields.macAddress.from = 'hardware.mac'
    devices.fields.switches.from = 'relays'
    activitylogs.from = 'presslogs'
    activitylogs.fields.action.from = 'what'
    activitylogs.fields.deviceId.from = 'of.device'
    activitylogs.values.action.einschalten = 'on'
    const report = await volt.migrations.adopt({ ...options, from: origin.dbName, mapping: edited })
    expect(report.collections.find(({ collection }) => collection === 'presslogs')).toMatchObject({
      documents: 190,
      treatment: 'adopted',
      left: 63,
    })
    await target.db
      .collection('adoption_rejects')
      .updateMany({ originCollection: 'presslogs' }, { $set: { originCollection: 'activitylogs' } })
    const left = await target.db.collection('adoption_rejects').findOne({ reason: 'switched without a switch' })
    // It is kept as the origin has it.
    expect(left?.document).toMatchObject({ of: expect.anything() })
    await expectAdopted(volt, target.db)
  })

  it('refuses what it cannot mean, by its path, and leaves out a collection that is from nowhere', async () => {
    const [origin, target] = [testDatabase(), setUpDatabase()]
    for (const [name, documents] of originDocuments('autovolt')) await origin.db.collection(name).insertMany(documents)
    const volt = await openVolt(target)
    const from = origin.dbName
    const { mapping } = await volt.migrations.assessAdoption({ ...options, from })
    const edit = (path: string, value: unknown): AdoptionMapping => {
      const copy = JSON.parse(JSON.stringify(mapping))
      const names = path.split('.')
      const last = names.pop() ?? ''
      const place = names.reduce((found, name) => found[name], copy.collections)
      place[last] = value
      return copy
    }
    for (const [path, value] of [
      ['lamps', mapping.collections.users],
      ['users.fields.age', { from: 'age', becomes: 'users.age' }],
      ['users.values.role.janitor', 'king'],
    ] as const) {
      const wrong = volt.migrations.assessAdoption({ ...options, from, mapping: edit(path, value) })
      await expect(wrong).rejects.toMatchObject({ code: 'VALIDATION', issues: [{ path: `collections.${path}` }] })
    }
    const none = edit('activitylogs.from', null)
    const report = await volt.migrations.assessAdoption({ ...options, from, mapping: none })
    expect(report.adopted.activities).toBe(0)
    expect(report.collections.find(({ collection }) => collection === 'activitylogs')).toMatchObject({
      treatment: 'stays',
    })
  })
})
