import type { Document, ObjectId } from 'mongodb'
import type { ClassroomInput } from '../../devices/classroom.js'
import type { DeviceInput } from '../../devices/device.js'
import type { CostVersionInput } from '../../energy/tariffs/cost-version.js'
import type { PowerSettingsInput } from '../../energy/tariffs/power-settings.js'
import type { UserInput } from '../../identity/user.js'
import { Rooms } from './map/classrooms.js'
import { mapDevices } from './map/devices.js'
import type { Finding, Mapped } from './map/mapped.js'
import { OriginIds } from './map/origin-ids.js'
import { mapPrices } from './map/prices.js'
import { kindRatings, mapSettings } from './map/settings.js'
import { mapSolchainDevices, type UserOf } from './map/solchain.js'
import type { KindRatings, KnownSwitch, SwitchAlias } from './map/switches.js'
import { autovoltUser, maestroUser, mapUsers, type RolesOf, solchainUser, type UserReading } from './map/users.js'
import { shownId, textOf } from './map/values.js'
import type { OriginSystem } from './mapping/mapping.js'
import type { Origin } from './origin.js'
import { Rates } from './rates.js'
import { OriginSecrets } from './without-secrets.js'

/** Everything but what grows with time: it fits into memory. */
export interface Registry {
  readonly users: Mapped<UserInput>
  /** What users have chosen, where the origin has documents of it, by their ids here. */
  readonly chosen: ReadonlyMap<string, Document>
  readonly classrooms: Mapped<ClassroomInput>['inputs']
  readonly devices: Mapped<DeviceInput>
  readonly prices: Mapped<CostVersionInput>['inputs']
  readonly settings: Mapped<PowerSettingsInput>
  readonly findings: readonly Finding[]
  readonly kinds: KindRatings
  readonly rates: Rates
  /** The room that a document of the origin names; undefined if there is none of that name. */
  readonly roomOf: (name: unknown) => { readonly _id: ObjectId; readonly name: string } | undefined
  /** The name of the tariff of each room, by its id. */
  readonly tariffOf: (classroom: unknown) => string
  readonly userOf: UserOf
  /** The ids of the devices. */
  readonly deviceIds: OriginIds
  readonly secrets: OriginSecrets
  /** Under which ids and names the origin has had switches before, by the ids of their devices. */
  readonly aliases: KnownHere['aliases']
}

/** What is here already. */
export interface KnownHere {
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly rooms: ConstructorParameters<typeof Rooms>[2]
  /** The switches of our devices, by the devices' ids. */
  readonly switches: ReadonlyMap<string, readonly KnownSwitch[]>
  /** Under which ids and names the origin has had them, by the devices' ids. */
  readonly aliases: ReadonlyMap<string, readonly SwitchAlias[]>
}

export interface RegistryOptions {
  readonly timeZone: string
  readonly currency: string
  readonly site: string
}

/** Which collection of the origin its devices are in. */
export const deviceCollection: Readonly<Record<OriginSystem, string>> = {
  autovolt: 'devices',
  solchain: 'iot_devices',
  maestro: 'devices',
  jupiter: 'devices',
}

export async function readRegistry(origin: Origin, options: RegistryOptions, known: KnownHere): Promise<Registry> {
  const { currency } = options
  const { system } = origin.mapping
  const userDocuments = await origin.list('users')
  const idsOf = (collection: string, documents: readonly Document[]) =>
    new OriginIds(documents, { database: origin.name, collection, keepsObjectIds: system !== 'solchain' })
  const userIds = idsOf('users', userDocuments)
  const users = mapUsers(userDocuments, userReadingOf(origin), userIds)
  const adoptedUsers = new Set(users.inputs.map(({ input }) => shownId(input._id)))
  const userOf: UserOf = (named) => {
    const found = userIds.find(named)
    return found !== undefined && adoptedUsers.has(found.id.toHexString()) ? found : undefined
  }
  const roomDocuments = await origin.list('classrooms')
  const rooms = new Rooms(roomDocuments, options, known.rooms, idsOf('classrooms', roomDocuments))
  const priced = mapPrices(await origin.list('cost_versions'), rooms, currency)
  const pricedInputs = priced.inputs.map(({ input }) => input)
  const general = pricedInputs.filter(({ tariff }) => tariff === 'default')
  const settings = mapSettings(await origin.list('powersettings'), currency, general.at(-1)?.pricePerKwh)
  const kinds = kindRatings(settings)
  const deviceDocuments = await origin.list(deviceCollection[system])
  const deviceIds = idsOf(deviceCollection[system], deviceDocuments)
  const devices =
    system === 'solchain'
      ? mapSolchainDevices(deviceDocuments, {
          rooms,
          userOf,
          ids: deviceIds,
          energyRoleOf: (type) => origin.valueOf('iot_devices', 'device_type', type) as DeviceInput['energyRole'],
        })
      : mapDevices(system === 'autovolt' ? deviceDocuments : [], {
          rooms,
          kinds,
          ids: deviceIds,
          known: known.switches,
          nowMs: known.nowMs,
        })
  const prices = [...priced.inputs, ...(general.length > 0 ? [] : settingsPrice(settings))]
  const rates = new Rates(prices.map(({ input }) => input))
  const classrooms = [
    ...rooms.mapped.inputs,
    ...rooms.named.map((room) => ({ input: rooms.inputOf(room), document: room })),
  ].map(({ input, document }) => ({
    input: rates.has(input.name) ? { ...input, tariff: input.name } : input,
    document,
  }))
  const names = rooms.names()
  const inRooms = users.inputs.map((one) => withRooms(one, rooms))
  return {
    users: { ...users, inputs: inRooms.map(({ user }) => user) },
    chosen: chosenBy(await origin.list('userpreferences'), userOf),
    classrooms,
    devices,
    prices,
    settings,
    kinds,
    rates,
    userOf,
    deviceIds,
    aliases: known.aliases,
    secrets: new OriginSecrets(origin.mapping, valuesOfSecrets([...userDocuments, ...deviceDocuments])),
    roomOf: (name) => rooms.find(name),
    tariffOf: (classroom) => names.get(String(classroom)) ?? 'default',
    findings: [
      ...[users, rooms.mapped, devices, priced, settings].flatMap(({ findings }) => findings),
      ...inRooms.flatMap(({ findings }) => findings),
    ],
  }
}

type ReadUser = Mapped<UserInput>['inputs'][number]

/** Rooms are assigned by their names. */
function withRooms(
  { input, document }: ReadUser,
  rooms: Rooms,
): { readonly user: ReadUser; readonly findings: readonly Finding[] } {
  const given: unknown = document.assignedRooms
  const named = (Array.isArray(given) ? given : []).map((name) => ({
    name,
    room: textOf(name) === undefined ? undefined : rooms.find(name),
  }))
  const missing = named.filter(({ room }) => room === undefined).map(({ name }) => shownId(name))
  const found = named.flatMap(({ room }) => room?._id ?? [])
  const assignedClassrooms = [...new Map(found.map((id) => [id.toHexString(), id])).values()]
  const reason = `rooms that are not there are assigned to it: ${missing.join(', ')}`
  return {
    user: { input: assignedClassrooms.length === 0 ? input : { ...input, assignedClassrooms }, document },
    findings: missing.length === 0 ? [] : [{ kind: 'noted', collection: 'users', document, reason }],
  }
}

/** What logs may repeat. */
function valuesOfSecrets(documents: readonly Document[]): string[] {
  return documents.flatMap(({ deviceSecret, password }) => [textOf(deviceSecret) ?? [], textOf(password) ?? []].flat())
}

function chosenBy(documents: readonly Document[], userOf: UserOf): ReadonlyMap<string, Document> {
  return new Map(
    documents.flatMap(({ _id, userId, version, lastModified, createdAt, updatedAt, __v, ...chosen }) => {
      const user = userOf(userId)
      return user === undefined ? [] : [[user.id.toHexString(), chosen] as const]
    }),
  )
}

function userReadingOf(origin: Origin): UserReading {
  const rolesOf: RolesOf = (role) => ({
    role: origin.valueOf('users', 'rights', role) as UserInput['role'],
    userType: origin.valueOf('users', 'role', role) as UserInput['userType'],
  })
  switch (origin.mapping.system) {
    case 'autovolt':
      return { nameOf: ({ name }) => textOf(name), fieldsOf: (user) => autovoltUser(user, rolesOf) }
    case 'solchain':
      return {
        nameOf: ({ first_name, last_name }) =>
          textOf([first_name, last_name].flatMap((one) => textOf(one) ?? []).join(' ')),
        fieldsOf: (user) => solchainUser(user, rolesOf),
      }
    case 'maestro':
      return {
        nameOf: ({ displayName }) => textOf(displayName),
        fieldsOf: (user) => maestroUser(user, rolesOf),
      }
    case 'jupiter':
      return { nameOf: ({ name }) => textOf(name), fieldsOf: () => ({}) }
  }
}

/** A database without cost versions has one price, and nobody knows since when. */
function settingsPrice({ inputs }: Registry['settings']): Registry['prices'] {
  return inputs.map(({ input: { electricityPrice: pricePerKwh, currency }, document }) => ({
    input: { tariff: 'default', startsAt: new Date(0), currency, pricePerKwh },
    document,
  }))
}
