import { ObjectId } from 'mongodb'
import type { Repository } from '../../core/repository/repository.js'
import type { Classroom, ClassroomInput } from '../../devices/classroom.js'
import type { Device, DeviceInput } from '../../devices/device.js'
import type { UserRepository } from '../../identity/user-repository.js'
import type { Seed } from '../migration.js'

export interface SampleNeeds {
  readonly users: UserRepository
  readonly classrooms: Repository<Classroom, ClassroomInput>
  readonly devices: Repository<Device, DeviceInput>
}

/** The same switch whenever it is stored, so that its entries in a ledger stay its own. */
const lights = new ObjectId('5a0000000000000000000001')
const fan = new ObjectId('5a0000000000000000000002')

/** A room, a device with two switches in it, and a person, by the values that make each unique. */
export function sampleData({ classrooms, devices, users }: SampleNeeds): Seed {
  return {
    name: 'autovolt-sample',
    run: async () => {
      const email = 'asha@example.org'
      await users.upsert({ email }, { email, name: 'Asha', userType: 'staff' })
      const name = 'Sample room'
      const room = await classrooms.upsert({ name }, { name, timeZone: 'Asia/Kolkata' })
      const macAddress = '02:00:5E:10:00:FF'
      await devices.upsert(
        { macAddress },
        {
          macAddress,
          name: 'Sample relays',
          classroom: room._id,
          switches: [
            { _id: lights, name: 'Lights', gpio: 16, powerRating: 40 },
            { _id: fan, name: 'Fan', gpio: 17, powerRating: 75 },
          ],
        },
      )
    },
  }
}
