import type { Database } from '../../core/database.js'
import type { EntityDescription } from '../../core/entity.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Repository } from '../../core/repository/repository.js'
import type { Classroom, ClassroomInput } from '../../devices/classroom.js'
import type { Device, DeviceInput } from '../../devices/device.js'
import type { PowerSettings } from '../../energy/tariffs/power-settings.js'
import { PriceBookReader } from '../../energy/tariffs/price-book.js'
import type { Tariffs } from '../../energy/tariffs/tariffs.js'
import type { UserPreferencesRepository } from '../../identity/preferences/user-preferences-repository.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'
import { alertSeverity, casePriority } from './cases-and-alerts.js'
import { collectionNames } from './collection-names.js'
import { consumptionCosts } from './consumption-costs.js'
import { deviceModel } from './device-model.js'
import { earlierVersions } from './earlier-versions.js'
import { energyRoles } from './energy-roles.js'
import { initialSchema } from './initial-schema.js'
import type { LegacyParts } from './legacy/legacy-backfill.js'
import { legacyConsumption } from './legacy/legacy-consumption.js'
import { Rooms } from './rooms.js'
import { defaultPreferences, userSettings } from './user-preferences.js'

/** What the package's own migrations need of the domains. */
export interface ShippedNeeds {
  readonly classrooms: Repository<Classroom, ClassroomInput>
  readonly devices: Repository<Device, DeviceInput>
  readonly tariffs: Tariffs
  readonly powerSettings: Reader<PowerSettings>
  readonly ledger: Ledger
  readonly userPreferences: UserPreferencesRepository
}

export interface ShippedParts {
  readonly needs: ShippedNeeds
  /** All entities of the handle, by what it calls them. */
  readonly entities: EntitiesByKey & {
    readonly [Key in
      | 'migrationChanges'
      | 'intervals'
      | 'powerConsumption'
      | 'users'
      | 'userPreferences']: EntityDescription
  }
}

/**
 * The migrations that ship with the package, in their order. One that a version has brought stays as it is: a later change
 * is a new one.
 */
export function shippedMigrations(database: Database, parts: ShippedParts): readonly Migration[] {
  const { entities } = parts
  const log = { collection: entities.migrationChanges.collection, clock: database.clock }
  const { prices, readRooms } = legacyPartsOf(database, parts)
  const preferences = database.of(parts.needs.userPreferences.entity)
  return [
    initialSchema(database, entities),
    collectionNames(log, entities),
    earlierVersions(log, entities),
    energyRoles(log, entities),
    consumptionCosts(log, { collection: entities.intervals.collection, prices, readRooms }),
    casePriority(log),
    alertSeverity(log),
    legacyConsumption(legacyPartsOf(database, parts)),
    userSettings(log, entities, (users) =>
      preferences.find({ _id: { $in: users.map(({ _id }) => _id) } }, { projection: { _id: 1 } }),
    ),
    defaultPreferences(log, entities),
    deviceModel(log, entities),
  ]
}

/** What reads and moves the records of consumption from before there was a ledger. */
export function legacyPartsOf(database: Database, { needs, entities }: ShippedParts): LegacyParts {
  const { classrooms, devices, tariffs, powerSettings, ledger } = needs
  return {
    database,
    ledger,
    collection: entities.powerConsumption.collection,
    prices: new PriceBookReader(database, tariffs.entity, powerSettings),
    readRooms: () => Rooms.read(classrooms, devices),
  }
}
