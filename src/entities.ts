import { activityEntity } from './activity/activity.js'
import { auditRecordEntity } from './activity/audit-record.js'
import type { Entity } from './core/entity.js'
import { DatabaseError } from './core/errors.js'
import { leaseEntity } from './core/lease.js'
import { type Classroom, classroomEntity } from './devices/classroom.js'
import { type Device, deviceEntity } from './devices/device.js'
import { cacheEntryEntity } from './energy/cache/cache-entry.js'
import { deviceConsumptionEntity } from './energy/consumption/device-consumption.js'
import { intervalTurnEntity } from './energy/consumption/interval-turn.js'
import { powerConsumptionEntity } from './energy/consumption/power-consumption.js'
import { measurementEntity, measurementEntityOf } from './energy/measurement/measurement.js'
import { measurementMarkEntity, measurementMarkEntityOf } from './energy/measurement/measurement-mark.js'
import { telemetryEventEntity, telemetryEventEntityOf } from './energy/measurement/telemetry-event.js'
import { registerMarkEntity } from './energy/registers/register-mark.js'
import { dailyAggregateEntity } from './energy/rollups/daily-aggregate.js'
import { monthlyAggregateEntity } from './energy/rollups/monthly-aggregate.js'
import { rollUpCursorEntity } from './energy/rollups/rollup-cursor.js'
import { costVersionEntity } from './energy/tariffs/cost-version.js'
import { powerSettingsEntity } from './energy/tariffs/power-settings.js'
import { recostingEntity } from './energy/tariffs/recosting.js'
import { tariffHeadEntity } from './energy/tariffs/tariff-head.js'
import { userEntity } from './identity/user.js'
import { ingestWindowEntity } from './ingestion/ingest-window.js'
import { ingestCounterEntity, quarantineEntity } from './ingestion/quarantine.js'
import { archiveEntity, seamEntity } from './ledger/archive/archive-entities.js'
import { ledgerEntryEntity } from './ledger/entry/entry.js'
import { anchorEntity, checkpointEntity, segmentEntity, tileEntity } from './ledger/log/log-entities.js'
import { personalDataEntity } from './ledger/personal/personal-data.js'

/** Our collections, by what the handle calls them. */
export type CollectionKey =
  | 'users'
  | 'classrooms'
  | 'devices'
  | 'powerSettings'
  | 'costVersions'
  | 'powerConsumption'
  | 'intervals'
  | 'measurements'
  | 'measurementMarks'
  | 'registerMarks'
  | 'telemetry'
  | 'tariffs'
  | 'recostings'
  | 'intervalTurns'
  | 'ledger'
  | 'ledgerCheckpoints'
  | 'ledgerTiles'
  | 'ledgerSegments'
  | 'ledgerAnchors'
  | 'ledgerPersonalData'
  | 'ledgerArchives'
  | 'ledgerSeams'
  | 'analyticsCache'
  | 'activities'
  | 'auditLogs'
  | 'quarantine'
  | 'ingestWindows'
  | 'ingestCounters'
  | 'dailyAggregates'
  | 'monthlyAggregates'
  | 'rollUpCursors'
  | 'leases'

const libraryEntities = {
  users: userEntity,
  classrooms: classroomEntity,
  devices: deviceEntity,
  powerSettings: powerSettingsEntity,
  costVersions: costVersionEntity,
  powerConsumption: powerConsumptionEntity,
  intervals: deviceConsumptionEntity,
  measurements: measurementEntity,
  measurementMarks: measurementMarkEntity,
  registerMarks: registerMarkEntity,
  telemetry: telemetryEventEntity,
  tariffs: tariffHeadEntity,
  recostings: recostingEntity,
  intervalTurns: intervalTurnEntity,
  ledger: ledgerEntryEntity,
  ledgerCheckpoints: checkpointEntity,
  ledgerTiles: tileEntity,
  ledgerSegments: segmentEntity,
  ledgerAnchors: anchorEntity,
  ledgerPersonalData: personalDataEntity,
  ledgerArchives: archiveEntity,
  ledgerSeams: seamEntity,
  analyticsCache: cacheEntryEntity,
  activities: activityEntity,
  auditLogs: auditRecordEntity,
  quarantine: quarantineEntity,
  ingestWindows: ingestWindowEntity,
  ingestCounters: ingestCounterEntity,
  dailyAggregates: dailyAggregateEntity,
  monthlyAggregates: monthlyAggregateEntity,
  rollUpCursors: rollUpCursorEntity,
  leases: leaseEntity,
} satisfies Record<CollectionKey, object>

export type LibraryEntities = typeof libraryEntities

/** How long what grows with time is kept, seconds; for ever where it is left out. */
export interface Retention {
  /** At least 1; counted from the `timestamp`. */
  readonly measurements?: number
  readonly telemetry?: number
}

/** What a host chooses of our entities. */
export interface EntityChoice {
  readonly entities?: { readonly devices?: Entity<Device>; readonly classrooms?: Entity<Classroom> }
  readonly collections?: Partial<Record<CollectionKey, string>>
  readonly hostEntities?: readonly Entity[]
  readonly expireAfterSeconds?: Retention
}

/**
 * Our entities, with those of the host in their places, under the names that it gives them.
 * @throws DatabaseError `CONFIGURATION` for a name that is none, or that two of them would share, or a time that is none.
 */
export function chosenEntities(options: EntityChoice): Readonly<Record<CollectionKey, Entity>> {
  const chosen: Record<CollectionKey, Entity> = {
    ...libraryEntities,
    ...expiring(options.expireAfterSeconds ?? {}),
    ...options.entities,
  }
  for (const [key, collection] of Object.entries(options.collections ?? {})) {
    if (!Object.hasOwn(chosen, key)) throw new DatabaseError('CONFIGURATION', `There is no collection ${key} to rename`)
    chosen[key as CollectionKey] = chosen[key as CollectionKey].inCollection(collection)
  }
  refuseSharedCollections([...Object.values(chosen), ...(options.hostEntities ?? [])])
  return chosen
}

const longestExpiry = 2 ** 31 - 1

function expiring(retention: Retention) {
  const { measurements, telemetry } = retention
  for (const [key, seconds] of Object.entries(retention) as [string, number | undefined][]) {
    const isKnown = key === 'measurements' || key === 'telemetry'
    const isTime = seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= longestExpiry)
    if (isKnown && isTime) continue
    const message = `\`expireAfterSeconds\` takes whole numbers from 1 to ${longestExpiry}, for measurements and telemetry`
    throw new DatabaseError('CONFIGURATION', message)
  }
  return {
    ...(measurements === undefined
      ? {}
      : {
          measurements: measurementEntityOf(measurements),
          measurementMarks: measurementMarkEntityOf(measurements),
        }),
    ...(telemetry === undefined ? {} : { telemetry: telemetryEventEntityOf(telemetry) }),
  }
}

function refuseSharedCollections(entities: readonly Entity[]): void {
  const names = entities.map(({ collection }) => collection)
  const shared = names.find((name, at) => names.indexOf(name) !== at)
  if (shared !== undefined) {
    throw new DatabaseError('CONFIGURATION', `Two entities cannot share the collection ${shared}`)
  }
}
