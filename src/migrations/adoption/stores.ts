import type { ObjectId } from 'mongodb'
import type { Activity } from '../../activity/activity.js'
import type { ActivityLog } from '../../activity/activity-log.js'
import type { Entity } from '../../core/entity.js'
import type { Repository } from '../../core/repository/repository.js'
import type { Classroom, ClassroomInput } from '../../devices/classroom.js'
import type { Device, DeviceInput } from '../../devices/device.js'
import type { MeasurementStore } from '../../energy/measurement/measurement-store.js'
import type { TelemetryStore } from '../../energy/measurement/telemetry-store.js'
import type { PowerSettings, PowerSettingsInput } from '../../energy/tariffs/power-settings.js'
import type { Tariffs } from '../../energy/tariffs/tariffs.js'
import type { UserPreferencesRepository } from '../../identity/preferences/user-preferences-repository.js'
import type { UserRepository } from '../../identity/user-repository.js'
import type { Ledger, LedgerEventInput } from '../../ledger/ledger.js'
import type { Market } from '../../market/index.js'
import type { SwitchChange } from './map/presses.js'
import { dateOf, idKey, isGiven, shownId } from './map/values.js'

/** Where adopted documents go. */
export interface AdoptionNeeds {
  readonly users: UserRepository
  readonly userPreferences: UserPreferencesRepository
  readonly classrooms: Repository<Classroom, ClassroomInput>
  readonly devices: Repository<Device, DeviceInput>
  readonly tariffs: Tariffs
  readonly ledger: Ledger
  readonly activities: ActivityLog
  readonly powerSettingsEntity: Entity<PowerSettings, PowerSettingsInput>
  readonly measurements: MeasurementStore
  readonly telemetry: TelemetryStore
  readonly market: Market
}

/** ms; what the library takes for devices that promise no period. */
export const undeclaredGapLimitMs = 300_000

/** The ledger's event of a change. Its key is the document that it comes from, so that it is appended once. */
export function eventOf(device: DeviceInput, change: SwitchChange, ratePerKwh: number): LedgerEventInput {
  const { target, atMs, isOn, powerW, log, collection, isInferred, part } = change
  const { classroom } = device
  // Whatever has none in its origin went to the room that the host has named.
  if (classroom === undefined) throw new Error('an adopted device has a room')
  const id = idKey(log._id)
  const timestamp = new Date(atMs)
  return {
    switchId: shownId(target._id),
    deviceId: shownId(device._id),
    classroom,
    timestamp,
    receivedAt: dateOf(log.createdAt) ?? timestamp,
    eventType: isOn ? 'switch_on' : 'switch_off',
    powerState: isOn,
    powerRating: powerW,
    energySource: 'rated',
    gapLimitMs: undeclaredGapLimitMs,
    ratePerKwh,
    flags: isInferred ? ['estimated'] : [],
    metadata: { source: 'migration', originalRecordId: id },
    idempotencyKey: `adopted:${collection}:${id}${part === undefined ? '' : `:${part}`}`,
  }
}

export interface ActivityParts {
  readonly causeOf: (trigger: unknown) => string | undefined
  /** The user that it names, if it is one of ours. */
  readonly user: ObjectId | undefined
}

/** Who pressed, as far as the origin knows. */
export function activityOf(
  device: DeviceInput & { readonly _id: ObjectId; readonly classroom: ObjectId },
  { target, atMs, isOn, log }: SwitchChange,
  { causeOf, user }: ActivityParts,
): Omit<Activity, '_id'> {
  const timestamp = new Date(atMs)
  return {
    deviceId: device._id,
    switchId: target._id,
    classroom: device.classroom,
    action: isOn ? 'switch_on' : 'switch_off',
    cause: (causeOf(log.triggeredBy) ?? 'unknown') as Activity['cause'],
    ...(isGiven(log.userId) ? { userId: (user?.toHexString() ?? shownId(log.userId)).slice(0, 128) } : {}),
    ...(typeof log.userName === 'string' ? { userName: log.userName.slice(0, 256) } : {}),
    timestamp,
    receivedAt: timestamp,
    idempotencyKey: `adopted:activitylogs:${idKey(log._id)}`,
  }
}
