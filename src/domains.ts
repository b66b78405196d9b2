import { type ActivityCollection, type ActivityServices, activityEntities, openActivity } from './activity/domain.js'
import type { Database } from './core/database.js'
import type { Entity } from './core/entity.js'
import { DatabaseError } from './core/errors.js'
import { leaseEntity } from './core/lease-entity.js'
import type { Classroom } from './devices/classroom.js'
import type { Device } from './devices/device.js'
import { type DevicesCollection, type DevicesServices, devicesEntities, openDevices } from './devices/domain.js'
import type { PowerConsumption } from './energy/consumption/power-consumption.js'
import {
  type EnergyCollection,
  type EnergyOptions,
  type EnergyServices,
  energyEntities,
  energyEntitiesOf,
  openEnergy,
} from './energy/domain.js'
import { type IdentityCollection, type IdentityServices, identityEntities, openIdentity } from './identity/domain.js'
import type { User } from './identity/user.js'
import {
  type IngestionCollection,
  type IngestionServices,
  ingestionEntities,
  openIngestion,
} from './ingestion/domain.js'
import {
  type LedgerCollection,
  type LedgerOptions,
  type LedgerServices,
  ledgerEntities,
  openLedger,
} from './ledger/domain.js'

const libraryEntities = {
  ...identityEntities,
  ...devicesEntities,
  ...energyEntities,
  ...ledgerEntities,
  ...activityEntities,
  ...ingestionEntities,
  leases: leaseEntity,
} satisfies Record<CollectionKey, object>

/** Our entities, by what the handle calls them. */
export type LibraryEntities = typeof libraryEntities
/** Our collections, by what the handle calls them. */
export type CollectionKey =
  | IdentityCollection
  | DevicesCollection
  | EnergyCollection
  | LedgerCollection
  | ActivityCollection
  | IngestionCollection
  | 'leases'

/** The documents whose further fields the handle's types know. */
interface ExtendedTypes {
  readonly users: User
  readonly classrooms: Classroom
  readonly devices: Device
  readonly powerConsumption: PowerConsumption
}

/** Entities of ours with fields of the host's own, made by their `extend`. */
export type EntityExtensions = {
  readonly [Key in CollectionKey]?: Key extends keyof ExtendedTypes ? Entity<ExtendedTypes[Key]> : Entity
}

/** What a host chooses of our entities. */
export interface EntityChoice {
  readonly entities?: EntityExtensions
  readonly collections?: Partial<Record<CollectionKey, string>>
  readonly hostEntities?: readonly Entity[]
}

/** How the services of a handle are to work. */
export interface ServiceOptions extends LedgerOptions, EnergyOptions {}

/** The repositories and services of a handle, with the host's fields where it has extended our entities. */
export interface Services<Extended = object>
  extends IdentityServices<Extended>,
    ActivityServices,
    DevicesServices<Extended>,
    LedgerServices,
    EnergyServices<Extended>,
    IngestionServices {}

/** Opens every domain, each with those that it needs. */
export function openDomains(database: Database, entities: LibraryEntities, options: ServiceOptions): Services {
  const identity = openIdentity(database, entities)
  const activity = openActivity(database, entities)
  const devices = openDevices(database, entities)
  const ledger = openLedger(database, entities, options)
  const energy = openEnergy(database, entities, { ...identity, ...activity, ...devices, ...ledger }, options)
  const ingestion = openIngestion(database, entities)
  return { ...identity, ...activity, ...devices, ...ledger, ...energy, ...ingestion }
}

/**
 * Our entities, with those of the host in their places, under the names that it gives them.
 * @throws DatabaseError `CONFIGURATION` for a name that is none, or that two of them would share, or a time that is none.
 */
export function chosenEntities(options: EntityChoice & EnergyOptions): LibraryEntities {
  const ours: LibraryEntities = { ...libraryEntities, ...energyEntitiesOf(options) }
  const chosen: LibraryEntities = { ...ours, ...extensionsOf(ours, options.entities ?? {}) }
  const renamed = Object.entries(options.collections ?? {}).map(([key, collection]) => {
    if (!Object.hasOwn(chosen, key)) throw new DatabaseError('CONFIGURATION', `There is no collection ${key} to rename`)
    return [key, chosen[key as CollectionKey].inCollection(collection)]
  })
  const entities: LibraryEntities = { ...chosen, ...Object.fromEntries(renamed) }
  refuseSharedCollections([...Object.values(entities), ...(options.hostEntities ?? [])])
  return entities
}

function extensionsOf(ours: LibraryEntities, extensions: EntityExtensions): Partial<LibraryEntities> {
  for (const [key, entity] of Object.entries(extensions)) {
    const isExtension = Object.hasOwn(ours, key) && entity?.name === ours[key as CollectionKey].name
    if (isExtension || entity === undefined) continue
    throw new DatabaseError('CONFIGURATION', `\`entities.${key}\` is not an entity of ours that was extended`)
  }
  return extensions as Partial<LibraryEntities>
}

function refuseSharedCollections(entities: readonly Entity[]): void {
  const names = entities.map(({ collection }) => collection)
  const shared = names.find((name, at) => names.indexOf(name) !== at)
  if (shared !== undefined) {
    throw new DatabaseError('CONFIGURATION', `Two entities cannot share the collection ${shared}`)
  }
}
