import type { ObjectId } from 'mongodb'
import type { EntityDescription } from '../../core/entity.js'
import type { ClassroomInput } from '../../devices/classroom.js'
import type { Device, DeviceInput } from '../../devices/device.js'
import type { User, UserInput } from '../../identity/user.js'
import { preferencesOf } from '../earlier-preferences.js'
import type { AdoptedDevice, AdoptionContext } from './context.js'
import { aliasesOf, wholeDeviceId } from './map/switches.js'
import { passwordHashOf } from './map/users.js'
import { shownId } from './map/values.js'
import { deviceCollection } from './read-registry.js'
import { storeInStep } from './store-registry.js'
import { storePrices, storeSettings } from './stores.js'
import { withoutSecrets } from './without-secrets.js'

/** Adopts everything but what grows with time: users, rooms, devices, prices, settings. */
export async function adoptRegistry(devices: readonly AdoptedDevice[], context: AdoptionContext): Promise<void> {
  const { registry, needs, database, store, tally, origin } = context
  const { users, classrooms, prices, settings } = registry
  const userTarget = {
    entity: needs.users.entity,
    create: userCreation(context),
    update: (id: ObjectId, { _id, ...changes }: UserInput) =>
      needs.users.update(id, present(withKnownRole(needs.users.entity, changes))),
  }
  tally.adopt('users', await storeInStep(context, userTarget, users.inputs, 'users'))
  const roomTarget = {
    entity: needs.classrooms.entity,
    create: (input: ClassroomInput) => needs.classrooms.create(input),
    update: (id: ObjectId, { _id, ...changes }: ClassroomInput) => needs.classrooms.update(id, present(changes)),
  }
  tally.adopt('classrooms', await storeInStep(context, roomTarget, classrooms, 'classrooms'))
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
  tally.adopt('devices', await storeInStep<Device, DeviceInput>(context, deviceTarget, devices, collection))
  if (store !== undefined) {
    await storePrices(needs.tariffs, prices)
    for (const { input } of settings.inputs) await storeSettings(database, needs.powerSettingsEntity, input)
  }
  tally.adopt('costVersions', prices.length)
  tally.adopt('powerSettings', settings.inputs.length)
}

/**
 * Stores a user with the hash of the password and what was chosen, all or nothing. Both are taken once: here they are the user's own
 * from then on.
 */
function userCreation({ needs, database, registry }: AdoptionContext): (input: UserInput) => Promise<User> {
  const documents = new Map(registry.users.inputs.map(({ input, document }) => [shownId(input._id), document]))
  return async (input) => {
    const document = documents.get(shownId(input._id)) ?? {}
    const hash = passwordHashOf(document)
    const chosen = registry.chosen.get(shownId(document._id))
    const preferences = preferencesOf(withoutSecrets(document), chosen && withoutSecrets(chosen))
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
