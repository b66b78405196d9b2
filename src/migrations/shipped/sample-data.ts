import { ObjectId } from 'mongodb'
import type { Repository } from '../../core/repository/repository.js'
import type { Classroom, ClassroomInput } from '../../devices/classroom.js'
import type { UserPreferencesRepository } from '../../identity/preferences/user-preferences-repository.js'
import type { UserRepository } from '../../identity/user-repository.js'
import type { Seed } from '../migration.js'
import { type SampleMarketNeeds, sampleMarket } from './sample-market.js'

export interface SampleNeeds extends SampleMarketNeeds {
  readonly users: UserRepository
  readonly userPreferences: UserPreferencesRepository
  readonly classrooms: Repository<Classroom, ClassroomInput>
}

/** The same switch whenever it is stored, so that its entries in a ledger stay its own. */
const lights = new ObjectId('5a0000000000000000000001')
const fan = new ObjectId('5a0000000000000000000002')

/** Two who trade energy with each other: one makes some, the other uses it. */
const traders = [
  {
    email: 'alice@example.org',
    name: 'Alice Johnson',
    userType: 'prosumer',
    walletAddress: `0x${'a11ce'.padStart(40, '0')}`,
    address: { street: '12 Solar Street', city: 'Pune', state: 'MH', country: 'India', postalCode: '411001' },
  },
  {
    email: 'bob@example.org',
    name: 'Bob Smith',
    userType: 'consumer',
    walletAddress: `0x${'b0b'.padStart(40, '0')}`,
    address: { street: '14 Solar Street', city: 'Pune', state: 'MH', country: 'India', postalCode: '411001' },
  },
] as const
const trading = { renewableOnly: true, maxTradeDistanceKm: 50, priceAlerts: true, maxPricePerKwh: 0.2 }

/** A room, a device with two switches in it, people, and a neighbourhood that trades energy, by the values that make each unique. */
export function sampleData(needs: SampleNeeds): Seed {
  const { classrooms, devices, users, userPreferences } = needs
  return {
    name: 'autovolt-sample',
    run: async () => {
      const email = 'asha@example.org'
      await users.upsert({ email }, { email, name: 'Asha', userType: 'staff' })
      const ids: ObjectId[] = []
      for (const trader of traders) {
        const { _id: user } = await users.upsert({ email: trader.email }, trader)
        await userPreferences.upsert({ user }, { user, notifications: { email: true, push: true }, energy: trading })
        ids.push(user)
      }
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
      const [alice, bob] = ids
      if (alice !== undefined && bob !== undefined) await sampleMarket({ alice, bob }, needs)
    },
  }
}
