import { randomUUID } from 'node:crypto'
import { AutoVolt, type Device, type DeviceInput } from '@autovolt/data'
import type { ObjectId } from 'mongodb'
import { inject } from 'vitest'
import { cleanUpLater } from '../../support/clean-up.js'
import { SettableClock } from '../../support/settable-clock.js'

export const testKeys = { active: 'test', keys: { test: Buffer.alloc(32, 5).toString('base64') } }
export const testSecret = 'a-device-secret-0123456789'

export interface School {
  readonly volt: AutoVolt
  readonly uri: string
  readonly dbName: string
  readonly clock: SettableClock
  readonly room: ObjectId
  /** Registers a device with an address of its own. */
  device(input?: Partial<DeviceInput>): Promise<Device>
}

/** A database with one classroom and a price, dropped at the end. */
export async function openSchool(options: { readonly uri?: string; readonly timeZone?: string } = {}): Promise<School> {
  const uri = options.uri ?? inject('mongodbUri')
  const dbName = `school_${randomUUID().slice(0, 13)}`
  const clock = new SettableClock()
  const volt = await AutoVolt.open({ uri, dbName, keys: testKeys, clock })
  cleanUpLater(async () => {
    await volt.database.native.dropDatabase()
    await volt.close()
  })
  await volt.setup()
  await volt.powerSettings.create({ electricityPrice: 8, currency: 'INR' })
  const { _id: room } = await volt.classrooms.create({ name: 'Room 101', timeZone: options.timeZone ?? 'Asia/Kolkata' })
  let count = 0
  const device = (input: Partial<DeviceInput> = {}) => {
    count += 1
    return volt.devices.create({
      name: `device ${count}`,
      macAddress: `02:00:00:00:01:${count.toString(16).padStart(2, '0')}`,
      classroom: room,
      secret: testSecret,
      // Messages of version 2 are not signed here.
      authentication: 'broker',
      switches: [
        { name: 'light', gpio: 16, powerRating: 60 },
        { name: 'fan', gpio: 17, powerRating: 75 },
      ],
      ...input,
    })
  }
  return { volt, uri, dbName, clock, room, device }
}
