import { inspect } from 'node:util'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AutoVolt } from '../../src/autovolt.js'
import { NotFoundError } from '../../src/core/errors.js'
import { Repository } from '../../src/core/repository/repository.js'
import { classroomEntity } from '../../src/devices/classroom.js'
import { quarantineEntity } from '../../src/ingestion/quarantine.js'
import { aClassroom, aDevice, aQuarantinedMessage, keyRing } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const raw = database.db.collection('devices')
const secret = 'unmistakable-secret'
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})
beforeEach(async () => {
  await raw.deleteMany({})
})

describe('a secret', () => {
  it('is sealed where it is stored, and given in clear only when it is asked for', async () => {
    const { _id } = await volt.devices.create(aDevice({ secret }))
    expect((await raw.findOne({ _id }))?.secret).toMatch(/^av1\.first\./)
    expect(await volt.devices.revealDeviceSecret(_id)).toBe(secret)
    expect(await volt.devices.revealSecret(_id.toHexString(), 'secret')).toBe(secret)
  })

  it('is changed by update(), and sealed again', async () => {
    const { _id } = await volt.devices.create(aDevice({ secret }))
    const before = (await raw.findOne({ _id }))?.secret
    await volt.devices.update(_id, { secret: 'another-secret-altogether' })
    expect((await raw.findOne({ _id }))?.secret).not.toBe(before)
    expect(await volt.devices.revealDeviceSecret(_id)).toBe('another-secret-altogether')
  })

  it('is not found where there is none, nor under another name, nor of a deleted document', async () => {
    const { _id } = await volt.devices.create(aDevice())
    await expect(volt.devices.revealDeviceSecret(_id)).rejects.toBeInstanceOf(NotFoundError)
    await expect(volt.devices.revealDeviceSecret(new ObjectId())).rejects.toBeInstanceOf(NotFoundError)
    for (const field of ['name', '__proto__', '$where', 'secret.x']) {
      await expect(volt.devices.revealSecret(_id, field as never)).rejects.toBeInstanceOf(NotFoundError)
    }
    const other = await volt.devices.create(aDevice({ secret }))
    await volt.devices.delete(other._id)
    await expect(volt.devices.revealDeviceSecret(other._id)).rejects.toBeInstanceOf(NotFoundError)
  })

  it('is refused where its ciphertext was moved to another document', async () => {
    const [one, other] = await volt.devices.createMany([aDevice({ secret }), aDevice({ secret })])
    const moved = (await raw.findOne({ _id: one?._id ?? new ObjectId() }))?.secret
    await raw.updateOne({ _id: other?._id ?? new ObjectId() }, { $set: { secret: moved } })
    await expect(volt.devices.revealDeviceSecret(other?._id ?? '')).rejects.toMatchObject({ code: 'KEY_RING' })
  })

  it('needs keys', async () => {
    const keyless = await openVolt(database, { keys: undefined as never })
    await expect(keyless.devices.create(aDevice({ secret }))).rejects.toMatchObject({
      code: 'KEY_RING',
      message: 'Secrets are encrypted at rest: open the handle with `keys`',
    })
    const { _id } = await keyless.devices.create(aDevice())
    await expect(keyless.devices.update(_id, { secret })).rejects.toMatchObject({ code: 'KEY_RING' })
    const sealed = await volt.devices.create(aDevice({ secret }))
    await expect(keyless.devices.revealDeviceSecret(sealed._id)).rejects.toMatchObject({ code: 'KEY_RING' })
  })

  it('shows in no error, whatever goes wrong', async () => {
    const { _id, macAddress } = await volt.devices.create(aDevice({ secret }))
    await raw.updateOne({ _id }, { $set: { secret: `av1.gone.${'A'.repeat(60)}` } })
    const attempts: readonly Promise<unknown>[] = [
      volt.devices.create(aDevice({ macAddress, secret })),
      volt.devices.createMany([aDevice({ macAddress, secret })]),
      volt.devices.create({ ...aDevice(), secret, extra: secret } as never),
      volt.devices.create(aDevice({ secret: `${secret}${'x'.repeat(200)}` })),
      volt.devices.update(_id, { secret, name: '' }),
      volt.devices.update(new ObjectId(), { secret }),
      volt.devices.upsert({ macAddress }, aDevice({ macAddress: 'AA:AA:AA:AA:AA:AA', secret })),
      volt.devices.bulk([{ create: aDevice({ macAddress, secret }) }]),
      volt.devices.find({ secret } as never),
      volt.devices.revealDeviceSecret(_id),
      new volt.devices.model({ ...aDevice(), secret }).save(),
      volt.devices.model.updateOne({ _id }, { secret }),
      volt.transaction(() => volt.devices.create(aDevice({ macAddress, secret }))),
    ]
    for (const outcome of await Promise.allSettled(attempts)) {
      expect(outcome.status).toBe('rejected')
      const { reason } = outcome as PromiseRejectedResult
      const shown =
        inspect(reason, { depth: 12, showHidden: true, getters: true }) + JSON.stringify(reason) + reason.stack
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain('av1.first.')
    }
  })
})

describe('resealSecrets()', () => {
  it('seals everything anew that is not under the active key, of every entity, deleted documents included', async () => {
    const own = setUpDatabase()
    const safe = classroomEntity.extend({ fields: {}, secrets: { doorCode: z.string().optional() } })
    const before = await openVolt(own, { keys: keyRing('first') })
    await before.setup()
    const [kept, deleted] = await before.devices.createMany([aDevice({ secret }), aDevice({ secret }), aDevice()])
    await before.devices.delete(deleted?._id ?? '')
    const message = await new Repository(before.database, quarantineEntity).create(
      aQuarantinedMessage({ payload: 'odd' }),
    )

    const after = await openVolt(own, { keys: keyRing('second', 'first'), entities: { classrooms: safe } as never })
    await after.setup()
    const rooms = after.classrooms as unknown as { create(input: object): Promise<{ _id: ObjectId }> }
    await rooms.create({ ...aClassroom(), doorCode: '1234' })
    expect(await after.resealSecrets()).toBe(3)
    expect(await after.resealSecrets()).toBe(0)

    const later = await openVolt(own, { keys: keyRing('second'), entities: { classrooms: safe } as never })
    expect(await later.devices.revealDeviceSecret(kept?._id ?? '')).toBe(secret)
    expect(
      await later.devices.restore(deleted?._id ?? '').then(({ _id }) => later.devices.revealDeviceSecret(_id)),
    ).toBe(secret)
    expect(await later.quarantine.revealSecret(message._id, 'payload')).toBe('odd')
    expect(await later.devices.get(kept?._id ?? '')).toMatchObject({ __v: 0 })
  })

  it('never puts an old secret in the place of a new one', async () => {
    const own = setUpDatabase()
    const old = await openVolt(own, { keys: keyRing('first', 'second') })
    await old.setup()
    const devices = await old.devices.createMany(Array.from({ length: 300 }, () => aDevice({ secret })))
    const rotated = await openVolt(own, { keys: keyRing('second', 'first') })
    const changes = devices.map(({ _id }, index) => old.devices.update(_id, { secret: `changed-secret-no-${index}` }))
    await Promise.all([rotated.resealSecrets(), ...changes])
    await rotated.resealSecrets()
    for (const [index, { _id }] of devices.entries()) {
      expect(await rotated.devices.revealDeviceSecret(_id)).toBe(`changed-secret-no-${index}`)
    }
    for await (const stored of own.db.collection('devices').find()) expect(stored.secret).toMatch(/^av1\.second\./)
  })

  it('says which key is missing', async () => {
    const own = setUpDatabase()
    const old = await openVolt(own, { keys: keyRing('first') })
    await old.setup()
    await old.devices.create(aDevice({ secret }))
    const rotated = await openVolt(own, { keys: keyRing('second') })
    await expect(rotated.resealSecrets()).rejects.toMatchObject({
      code: 'KEY_RING',
      message: 'The key "first" is not in the key ring',
    })
  })

  it('takes part in no transaction', async () => {
    await volt.devices.create(aDevice({ secret }))
    const rotated = await openVolt(database, { keys: keyRing('second', 'first') })
    const undone = rotated.transaction(async () => {
      expect(await rotated.resealSecrets()).toBe(1)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await rotated.resealSecrets()).toBe(0)
  })
})
