import { deviceEntity } from '@autovolt/data'
import { startTestDatabase } from '@autovolt/data/testing'
import { describe, expect, inject, it } from 'vitest'
import { z } from 'zod'

describe('startTestDatabase', () => {
  it('gives a handle that is set up, can store secrets, and can be cleared', async () => {
    await using database = await startTestDatabase({ uri: inject('mongodbUri') })
    const { volt } = database
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
    const room = await volt.classrooms.create({ name: 'Room 101' })
    const device = await volt.devices.create({
      name: 'd',
      macAddress: 'AABBCCDDEEFF',
      classroom: room._id,
      secret: 'a secret of 16 characters',
    })
    expect(await volt.devices.revealDeviceSecret(device._id)).toBe('a secret of 16 characters')
    await database.clear()
    expect(await volt.devices.count()).toBe(0)
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('takes extended entities', async () => {
    const devices = deviceEntity.extend({ fields: { assetTag: z.string() } })
    await using database = await startTestDatabase({ uri: inject('mongodbUri'), entities: { devices } })
    const room = await database.volt.classrooms.create({ name: 'Room 101' })
    const device = await database.volt.devices.create({
      name: 'd',
      macAddress: 'AABBCCDDEEFF',
      classroom: room._id,
      assetTag: 'A-1',
    })
    expect(device.assetTag).toBe('A-1')
  })

  it('drops its database from a server that it did not start', async () => {
    const database = await startTestDatabase({ uri: inject('mongodbUri') })
    const other = await startTestDatabase({ uri: inject('mongodbUri') })
    await database.stop()
    const { databases } = await other.volt.database.client.db().admin().listDatabases()
    await other.stop()
    expect(databases.map(({ name }) => name)).not.toContain(database.dbName)
  })
})
