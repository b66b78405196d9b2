import type { ObjectId } from 'mongodb'
import type { EntityDescription } from '../../core/entity.js'
import { ValidationError } from '../../core/errors.js'
import { requireOpenData } from '../../core/repository/data.js'
import { validateData } from '../../core/validate.js'
import type { ClassroomInput } from '../../devices/classroom.js'
import type { Device, DeviceInput } from '../../devices/device.js'
import { userPreferencesEntity } from '../../identity/preferences/user-preferences.js'
import type { User, UserInput } from '../../identity/user.js'
import { preferencesOf } from '../earlier-preferences.js'
import type { AdoptedDevice, AdoptionContext } from './context.js'
import { aliasesOf, wholeDeviceId } from './map/switches.js'
import { passwordHashOf } from './map/users.js'
import { shownId } from './map/values.js'
import { deviceCollection } from './read-registry.js'
import { storePrices, storeSettings } from './store-prices.js'
import { storeInStep, validationReason } from './store-registry.js'

/**
 * Adopts everything but what grows with time: users, rooms, devices, prices, settings.
 * @returns those of the devices that are here now.
 */
export async function adoptRegistry(
  devices: readonly AdoptedDevice[],
  context: AdoptionContext,
): Promise<readonly AdoptedDevice[]> {
  const { registry, needs, tally, origin } = context
  const { users, classrooms, prices, settings } = registry
  const userTarget = {
    entity: needs.users.entity,
    create: userCreation(context, chosenOf(context)),
    update: (id: ObjectId, { _id, ...changes }: UserInput) =>
      needs.users.update(id, present(withKnownRole(needs.users.entity, changes))),
  }
  const storedUsers = await storeInStep(context, userTarget, users.inputs, 'users')
  tally.adopt('users', storedUsers.size)
  const roomTarget = {
    entity: needs.classrooms.entity,
    create: (input: ClassroomInput) => needs.classrooms.create(input),
    update: (id: ObjectId, { _id, ...changes }: ClassroomInput) => needs.classrooms.update(id, present(changes)),
  }
  const storedRooms = await storeInStep(context, roomTarget, classrooms, 'classrooms')
  tally.adopt('classrooms', storedRooms.size)
  const switches = new Map(devices.map((one) => [one.input._id.toHexString(), one.switches]))
  const deviceTarget = {
    aliasesOf: (id: string) => aliasesOf(switches.get(id) ?? []),
    entity: needs.devices.entity,
    create: (input: DeviceInput) => needs.devices.create(input),
    update: async (id: ObjectId, { _id, switches = [], ...changes }: DeviceInput) => {
      const ours = await needs.devices.get(id)
      const channel = ours.switches.filter((one) => one._id.equals(wholeDeviceId(id)))
      return needs.devices.update(id, { ...present(changes), switches: [...switches, ...channel] })
    },
  }
  const collection = deviceCollection[origin.mapping.system]
  const storedDevices = await storeInStep<Device, DeviceInput>(context, deviceTarget, devices, collection)
  tally.adopt('devices', storedDevices.size)
  await storePrices(context)
  await storeSettings(context)
  tally.adopt('costVersions', prices.length)
  tally.adopt('powerSettings', settings.inputs.length)
  return devices.filter(({ input }) => storedDevices.has(shownId(input._id)))
}

type Chosen = NonNullable<ReturnType<typeof preferencesOf>>

/** What users have chosen, as far as it can be kept as preferences, by their ids here. */
function chosenOf(context: AdoptionContext): ReadonlyMap<string, Chosen> {
  const { users, chosen, secrets } = context.registry
  const found = new Map<string, Chosen>()
  for (const { input, document } of users.inputs) {
    const own = chosen.get(shownId(input._id))
    const preferences = preferencesOf(secrets.without(document), own && secrets.without(own))
    if (preferences === undefined) continue
    try {
      requireOpenData(userPreferencesEntity, preferences, 'preferences')
      validateData(userPreferencesEntity.inputSchema, { ...preferences, user: input._id }, 'preferences')
      found.set(shownId(input._id), preferences)
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error
      const reason = `what was chosen cannot be kept as preferences: ${validationReason(error)}`
      context.find({ kind: 'noted', collection: 'users', document, reason })
    }
  }
  return found
}

/**
 * Stores a user with the hash of the password and what was chosen, all or nothing. Both are taken once: here they are the user's own
 * from then on.
 */
function userCreation(
  { needs, database, registry }: AdoptionContext,
  chosen: ReadonlyMap<string, Chosen>,
): (input: UserInput) => Promise<User> {
  const documents = new Map(registry.users.inputs.map(({ input, document }) => [shownId(input._id), document]))
  return async (input) => {
    const document = documents.get(shownId(input._id)) ?? {}
    const hash = passwordHashOf(document)
    const preferences = chosen.get(shownId(input._id))
    return database.transactions.run(async () => {
      const { _id } = await needs.users.create(withKnownRole(needs.users.entity, input))
      if (hash !== undefined) await needs.users.setPasswordHash(_id, hash)
      if (preferences !== undefined) await needs.userPreferences.create({ ...preferences, user: _id })
      return needs.users.get(_id)
    })
  }
}

/** Of a host with roles of its own, users start as its new ones do. */
function withKnownRole<Input extends Pick<UserInput, 'role'>>(users: EntityDescription, input: Input): Input {
  const { role, ...others } = input
  const isKnown = users.storedSchema.shape.role?.safeParse(role).success === true
  return isKnown ? input : (others as Input)
}

type Present<Fields> = { readonly [Name in keyof Fields]: Exclude<Fields[Name], undefined> }

/** The fields that have a value. */
function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>
}
