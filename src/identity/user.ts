import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { emailAddress } from './email-address.js'

/** What somebody is to the energy: who runs the site, who works there, who uses energy, who makes it, and who does both. */
const userTypes = ['admin', 'staff', 'consumer', 'producer', 'prosumer'] as const
/** `pending` waits to be let in; `inactive` has left; `suspended` is kept out. */
const userStatuses = ['pending', 'active', 'inactive', 'suspended'] as const

/** A person, or a household, that energy is accounted to. */
export const userEntity = defineEntity({
  name: 'user',
  collection: 'users',
  fields: {
    email: emailAddress(),
    name: z.string().min(1).max(200),
    userType: z.enum(userTypes).default('consumer'),
    status: z.enum(userStatuses).default('active'),
  },
  softDelete: true,
  indexes: [
    { key: { email: 1, deletedAt: 1 }, unique: true, serves: 'a user by address; a deleted one frees it' },
    { key: { userType: 1, name: 1, _id: 1 }, serves: 'the users of a type by name' },
    { key: { status: 1, name: 1, _id: 1 }, serves: 'the users of a status by name: who waits, who is suspended' },
  ],
})

export type User = Stored<typeof userEntity>
export type UserInput = Input<typeof userEntity>
