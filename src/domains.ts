import {
  type ActivityCollection,
  type ActivityOptions,
  type ActivityServices,
  activityEntities,
  activityEntitiesOf,
  openActivity,
} from './activity/domain.js'
import { type BackupCollection, type BackupServices, backupEntities, openBackup } from './backup/domain.js'
import { type CommandsCollection, type CommandsServices, commandsEntities, openCommands } from './commands/domain.js'
import type { Database } from './core/database.js'
import type { Entity } from './core/entity.js'
import { refuseSharedCollections } from './core/entity-checks.js'
import { DatabaseError } from './core/errors.js'
import { leaseEntity } from './core/lease-entity.js'
import { workRecordEntity } from './core/self-check/work-records.js'
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
import { readRatedPowers } from './energy/tariffs/rated-powers.js'
import { type FirmwareCollection, type FirmwareServices, firmwareEntities, openFirmware } from './firmware/domain.js'
import type { FirmwareOptions } from './firmware/firmware-options.js'
import {
  type IdentityCollection,
  type IdentityOptions,
  type IdentityServices,
  identityEntities,
  openIdentity,
} from './identity/domain.js'
import type { AnyUser } from './identity/user.js'
import {
  type IncidentOptions,
  type IncidentsCollection,
  type IncidentsServices,
  incidentsEntities,
  openIncidents,
} from './incidents/domain.js'
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
import { type MarketCollection, type MarketServices, marketEntities, openMarket } from './market/domain.js'
import {
  type MigrationsCollection,
  type MigrationsOptions,
  type MigrationsServices,
  migrationsEntities,
  openMigrations,
} from './migrations/domain.js'
import {
  type NotificationsCollection,
  type NotificationsServices,
  notificationsEntities,
  openNotifications,
} from './notifications/domain.js'
import type { NotificationOptions } from './notifications/notification-options.js'
import {
  type OperationsCollection,
  type OperationsServices,
  openOperations,
  operationsEntities,
} from './operations/domain.js'
import { openPrivacy, type PrivacyCollection, type PrivacyServices, privacyEntities } from './privacy/domain.js'
import {
  openRetention,
  type RetentionCollection,
  type RetentionServices,
  retentionEntities,
} from './retention/domain.js'
import { mayGo } from './retention/passing.js'
import {
  openSchedules,
  type Rights,
  type ScheduleOptions,
  type SchedulesCollection,
  type SchedulesServices,
  schedulesEntities,
} from './schedules/domain.js'

export type { RoleIn } from './identity/domain.js'

const libraryEntities = {
  ...identityEntities,
  ...devicesEntities,
  ...commandsEntities,
  ...energyEntities,
  ...ledgerEntities,
  ...activityEntities,
  ...ingestionEntities,
  ...notificationsEntities,
  ...schedulesEntities,
  ...firmwareEntities,
  ...incidentsEntities,
  ...marketEntities,
  ...backupEntities,
  ...operationsEntities,
  ...retentionEntities,
  ...privacyEntities,
  ...migrationsEntities,
  leases: leaseEntity,
  workRecords: workRecordEntity,
} satisfies Record<CollectionKey, object>

/** Our entities, by what the handle calls them. */
export type LibraryEntities = typeof libraryEntities
/** Our collections, by what the handle calls them. */
export type CollectionKey =
  | IdentityCollection
  | DevicesCollection
  | CommandsCollection
  | EnergyCollection
  | LedgerCollection
  | ActivityCollection
  | IngestionCollection
  | NotificationsCollection
  | SchedulesCollection
  | FirmwareCollection
  | IncidentsCollection
  | MarketCollection
  | BackupCollection
  | OperationsCollection
  | RetentionCollection
  | PrivacyCollection
  | MigrationsCollection
  | 'leases'
  | 'workRecords'

/** The documents whose further fields the handle's types know. */
interface ExtendedTypes {
  readonly users: AnyUser
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
export interface ServiceOptions
  extends IdentityOptions,
    ActivityOptions,
    LedgerOptions,
    EnergyOptions,
    NotificationOptions,
    ScheduleOptions,
    FirmwareOptions,
    IncidentOptions,
    MigrationsOptions {}

/** The repositories and services of a handle, with the host's fields where it has extended our entities. */
export interface Services<Extended = object>
  extends IdentityServices<Extended>,
    ActivityServices,
    DevicesServices<Extended>,
    CommandsServices,
    LedgerServices,
    EnergyServices<Extended>,
    IngestionServices,
    NotificationsServices,
    SchedulesServices,
    FirmwareServices,
    IncidentsServices,
    MarketServices,
    BackupServices,
    OperationsServices,
    RetentionServices,
    PrivacyServices,
    MigrationsServices {}

/** Opens every domain, each with those that it needs. */
export function openDomains(
  database: Database,
  entities: LibraryEntities,
  options: ServiceOptions & Pick<EntityChoice, 'hostEntities'>,
  rights: Rights,
): Services {
  // Anchors outside know newer checkpoints than a restored ledger can have.
  const { anchors, ...ledgerLog } = options.ledgerLog ?? {}
  const all = (): Entity[] => [...Object.values(entities), ...(options.hostEntities ?? [])]
  const servicesOf = (other: Database) => {
    const data = openDataDomains(other, entities, { ...options, ledgerLog }, () => undefined)
    return { ...data, ...openPrivacy(other, entities, { ...data, entities: all }) }
  }
  const data = openDataDomains(database, entities, options, rights)
  const backup = openBackup(database, entities, { servicesOf }, options)
  return {
    ...data,
    ...openPrivacy(database, entities, { ...data, entities: all }),
    ...backup,
    ...openOperations(database, entities, { ...backup, entities: all, ours: Object.values(entities) }),
    ...openRetention(database, entities, { entities: all, mayGo: () => mayGo(entities, options.hostEntities) }),
  }
}

/** The domains that are in a backup themselves. */
function openDataDomains(
  database: Database,
  entities: LibraryEntities,
  options: ServiceOptions,
  rights: Rights,
): Omit<Services, keyof BackupServices | keyof OperationsServices | keyof RetentionServices | keyof PrivacyServices> {
  const activity = openActivity(database, entities)
  const identity = openIdentity(database, entities, activity, options)
  const powerSettings = database.of(entities.powerSettings)
  const devices = openDevices(database, entities, { ratedPowers: () => readRatedPowers(powerSettings) })
  const commands = openCommands(database, entities, devices)
  const ledger = openLedger(database, entities, options)
  const { prices, ...energy } = openEnergy(
    database,
    entities,
    { ...identity, ...activity, ...devices, ...ledger },
    options,
  )
  const notifications = openNotifications(database, entities, entities, options)
  const firmware = openFirmware(database, entities, { ...activity, ...devices, ...notifications }, options)
  const ingestion = openIngestion(database, entities, {
    ...activity,
    ...devices,
    ...commands,
    ...firmware,
    ...ledger,
    ...energy,
    prices,
  })
  const schedules = openSchedules(database, entities, { ...commands, ...devices, rights }, options)
  const services = {
    ...identity,
    ...activity,
    ...devices,
    ...commands,
    ...ledger,
    ...energy,
    ...ingestion,
    ...notifications,
    ...schedules,
    ...firmware,
    ...openIncidents(database, entities, { ...energy, ...notifications }, options),
    ...openMarket(database, entities, ledger),
  }
  const migrations = openMigrations(
    database,
    entities,
    { ...services, entities, leaseEntity: entities.leases, powerSettingsEntity: entities.powerSettings },
    options,
  )
  return { ...services, ...migrations }
}

/**
 * Our entities, with those of the host in their places, under the names that it gives them.
 * @throws DatabaseError `CONFIGURATION` for a name that is none, or that two of them would share, or a time that is none.
 */
export function chosenEntities(options: EntityChoice & EnergyOptions & ActivityOptions): LibraryEntities {
  const ours: LibraryEntities = { ...libraryEntities, ...energyEntitiesOf(options), ...activityEntitiesOf(options) }
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
