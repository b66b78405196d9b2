import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { objectId, trimmedText } from '../core/fields.js'
import { geoPoint } from '../core/geo-point.js'
import type { Findable } from '../core/repository/conditions.js'
import { where } from '../core/repository/conditions.js'
import { emailAddress } from './email-address.js'
import { bcryptHash } from './passwords/bcrypt-hash.js'
import { password } from './passwords/password.js'
import { authKey } from './providers/auth-key.js'
import { figures, postalAddress, profile } from './user-fields.js'
import { fullNameOf, isActive } from './user-views.js'
import { doubtChecksum, walletAddress } from './wallet-address.js'

/** What somebody is to the energy: who runs the site, who works there, who uses energy, who makes it, and who does both. */
const userTypes = ['admin', 'staff', 'consumer', 'producer', 'prosumer'] as const
/** `pending` waits to be let in; `inactive` has left; `suspended` is kept out. */
const userStatuses = ['pending', 'active', 'inactive', 'suspended'] as const

/** The roles that users have unless the host names its own; the first is that of new users. */
export const defaultRoles = ['student', 'faculty', 'user', 'admin', 'super-admin'] as const
export type UserRole = (typeof defaultRoles)[number]

const maximumClassrooms = 1_000
const maximumAccounts = 20

/**
 * The entity of users with roles of the host's own.
 * @param roles All of them; the first is that of new users.
 * @throws DatabaseError `CONFIGURATION` for what is no list of names.
 * @example
 * const users = userEntityWithRoles(['resident', 'installer', 'manager'])
 * const volt = await AutoVolt.open({ uri, dbName, entities: { users } })
 */
export function userEntityWithRoles<const Role extends string>(roles: readonly [Role, ...Role[]]) {
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every((role) => typeof role === 'string' && role !== ''))
    throw new DatabaseError('CONFIGURATION', 'The roles of users are a list of names, one at least')
  // Named by its type: what the compiler infers of it inside of the entity is `any`.
  const role: z.ZodOptional<z.ZodType<Role, Role | undefined>> = z.literal(roles).prefault(roles[0]).optional()
  return defineEntity({
    name: 'user',
    collection: 'users',
    personal: { subjects: { _id: { onErasure: 'delete document' } } },
    // Fields that came later may be absent, so that users from before stay as they are.
    fields: {
      /** The address that the user signs in with, in lower case; unique. */
      email: emailAddress(),
      /** The name that is shown, 2 to 50 characters. */
      name: trimmedText(2, 50),
      /** The given name. */
      firstName: trimmedText(1, 50).optional(),
      /** The family name. */
      lastName: trimmedText(1, 50).optional(),
      role,
      /** What the user does with energy. @default 'consumer' */
      userType: z.enum(userTypes).default('consumer'),
      /** Who is not `active` cannot sign in. @default 'active' */
      status: z.enum(userStatuses).default('active'),
      /** The classrooms that the user may see and use. @default none */
      assignedClassrooms: z
        .array(objectId())
        .max(maximumClassrooms)
        .default(() => [])
        .optional(),
      /** When the address was proved to be the user’s; left out while it is not. */
      emailVerifiedAt: z.date().optional(),
      /** When the user last signed in. */
      lastLogin: z.date().optional(),
      /** Wrong passwords since the last right one. */
      loginAttempts: z.int().min(0).optional(),
      /** Until when no password is right: too many were wrong. */
      lockUntil: z.date().optional(),
      /** What the user says of themself. */
      profile: profile().optional(),
      /** An Ethereum address with its EIP-55 checksum. */
      walletAddress: walletAddress().optional(),
      /** The postal address. */
      address: postalAddress().optional(),
      /** A GeoJSON point, longitude first. */
      location: geoPoint().optional(),
      /** The accounts elsewhere that the user signs in by, such as `google:1234`. */
      authKeys: z.array(authKey()).max(maximumAccounts).optional(),
      /** Figures that are kept of the user’s trades and devices. */
      stats: figures().optional(),
    },
    privileged: ['role', 'userType', 'status', 'assignedClassrooms'],
    managed: ['emailVerifiedAt', 'lastLogin', 'loginAttempts', 'lockUntil', 'authKeys', 'stats'],
    secrets: { password: password().optional() },
    hashes: { password: bcryptHash },
    softDelete: true,
    repositoryOnly: ['email', 'emailVerifiedAt', 'role', 'status', 'password', 'authKeys', 'deletedAt'],
    doubts: { walletAddress: doubtChecksum },
    virtuals: { fullName: fullNameOf, isActive },
    findable: { isActive: { whenTrue: { status: 'active' }, whenFalse: { status: where.ne('active') } } },
    indexes: [
      { key: { email: 1 }, unique: true, serves: 'a user by address; a deleted one frees it' },
      {
        key: { walletAddress: 1 },
        unique: true,
        // Unlike `$exists`, this is used by a search for an address.
        partialFilterExpression: { walletAddress: { $gt: '' } },
        serves: 'a user by wallet',
      },
      {
        key: { authKeys: 1 },
        unique: true,
        partialFilterExpression: { authKeys: { $gt: '' } },
        serves: 'a user by an account elsewhere',
      },
      { key: { userType: 1, name: 1, _id: 1 }, serves: 'the users of a type by name' },
      { key: { status: 1, name: 1, _id: 1 }, serves: 'the users of a status by name: who waits, who is suspended' },
      { key: { role: 1, name: 1, _id: 1 }, serves: 'the users of a role by name' },
      {
        key: { role: 1, assignedClassrooms: 1, name: 1, _id: 1 },
        serves: 'the users of a role and a classroom by name',
      },
      { key: { lastLogin: -1, _id: -1 }, serves: 'who signed in last' },
      { key: { location: '2dsphere' }, serves: 'the users around a place' },
    ],
  })
}

/** A person, or a household, that energy is accounted to. */
export const userEntity = userEntityWithRoles(defaultRoles)

export type User = Stored<typeof userEntity> & Findable<'isActive'>
export type UserInput = Input<typeof userEntity>
/** A user whatever the host's roles are. */
export type AnyUser = Omit<User, 'role'> & { readonly role?: string | undefined } & Findable<'isActive'>
