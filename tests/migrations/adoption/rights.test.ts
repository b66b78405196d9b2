import { expect, it } from 'vitest'
import { startSecuredMongod } from '../../support/secured-mongod.js'
import { openVolt } from '../../support/volt.js'

it('a role that may not read the origin is told what it needs', async () => {
  const mongod = await startSecuredMongod()
  await mongod.owner.db('school_old').collection('devices').insertOne({ switches: [] })
  const uri = await mongod.createUser('adopter', [{ role: 'readWrite', db: 'school' }])
  const volt = await openVolt({ uri, dbName: 'school' })
  const refused = {
    code: 'NOT_AUTHORIZED',
    message: expect.stringMatching(/Next: give the user of the connection the role read on school_old$/),
  }
  const options = { from: 'school_old', timeZone: 'Asia/Kolkata' }
  await expect(volt.migrations.assessAdoption(options)).rejects.toMatchObject(refused)
  await expect(volt.migrations.adopt(options)).rejects.toMatchObject(refused)
  const granted = { grantRolesToUser: 'adopter', roles: [{ role: 'read', db: 'school_old' }] }
  await mongod.owner.db('admin').command(granted)
  expect((await volt.migrations.assessAdoption(options)).system).toBe('autovolt')
})
