/**
 * The handle, its repositories and services, entities, errors, filters and changes: what a service imports.
 *
 * @module @autovolt/data
 */
export type { Activity } from './activity/activity.js'
export type { ActivityInput, ActivityLog } from './activity/activity-log.js'
export type { Actor, AuditLog } from './activity/audit-log.js'
export type { AuditAction, AuditRecord } from './activity/audit-record.js'
export type { DeviceLog, DeviceLogInput } from './activity/device-log.js'
export type { DeviceLogEntry } from './activity/device-log-entry.js'
export { AutoVolt, type BoundAutoVolt } from './autovolt.js'
export type * from './commands/index.js'
export type { BestEffortCounts } from './core/best-effort.js'
export { type Clock, systemClock } from './core/clock.js'
export type {
  StoreBulkCounts,
  StoreBulkOptions,
  StoreInsertOptions,
  StoreUpdateOptions,
} from './core/collection/collection-options.js'
export type { EntityCollection } from './core/collection/entity-collection.js'
export type {
  NewDocument,
  StoreAggregateOptions,
  StoreFilter,
  StoreFindOptions,
  StorePipeline,
  StoreUpdate,
  StoreWrite,
} from './core/collection/store-query.js'
export type { ConnectionOptions } from './core/connection.js'
export type { ConnectionEvent, ConnectionEvents } from './core/connection-events.js'
export type { Database } from './core/database.js'
export {
  defineAppendOnlyEntity,
  defineEntity,
  type Entity,
  type EntityDescription,
  type EntityExtension,
  type EntityOptions,
  type EntityRule,
  type FieldAccess,
  type Identified,
  type Input,
  type RequestChanges,
  type Stored,
  type StoredFields,
} from './core/entity.js'
export type { EntityBehaviour, FindableVirtual } from './core/entity-behaviour.js'
export type { Compressor, TimeSeriesOptions, ValidationLevel } from './core/entity-storage.js'
export {
  BusyError,
  ConflictError,
  DatabaseConnectionError,
  DatabaseError,
  type DatabaseErrorOptions,
  type ErrorCode,
  NotFoundError,
  ValidationError,
  type ValidationIssue,
} from './core/errors.js'
export { binary, instant, objectId, quantity } from './core/fields.js'
export type { GeoPoint, Place } from './core/geo-point.js'
export type { Health, PoolUse } from './core/health.js'
export type { IndexDefinition, SortDirection } from './core/index-definition.js'
export type { MongoJsonSchema } from './core/json-schema.js'
export type { KeyRing, KeyRingOptions } from './core/key-ring.js'
export { type Logger, type LogMethod, silentLogger } from './core/logger.js'
export type { Models } from './core/model.js'
export type { PeriodicStatus } from './core/periodic.js'
export type { BulkOperation, BulkResult } from './core/repository/bulk.js'
export type { EntityChange, ResumeToken, WatchOptions } from './core/repository/change-stream.js'
export { type Change, type Changes, change, type Removal, type UpdateOperator } from './core/repository/changes.js'
export {
  type Combination,
  type Condition,
  type DottedFields,
  type Filter,
  type Findable,
  where,
} from './core/repository/conditions.js'
export type {
  AfterOptions,
  FindManyOptions,
  PageOptions,
  StreamOptions,
} from './core/repository/list-options.js'
export type { Page, Slice } from './core/repository/page.js'
export { afterQuerySchema, pageQuerySchema } from './core/repository/page-query.js'
export { Reader } from './core/repository/reader.js'
export { Repository, type UpdateOptions } from './core/repository/repository.js'
export type { ListOptions, ReadOptions, Selected, Sort } from './core/repository/selection.js'
export type { SchemaLike } from './core/schema-like.js'
export type { Notice, NoticeCode } from './core/self-check/notice.js'
export type { CollectionReport } from './core/setup/compare.js'
export type { IndexReport } from './core/setup/index-differences.js'
export { SetupBlockedError, type SetupObstacle } from './core/setup/obstacle.js'
export type { SetupReport } from './core/setup/set-up.js'
export type * from './core/subject-keys/index.js'
export type { Transactions } from './core/transaction.js'
export { validateData } from './core/validate.js'
export { type Classroom, type ClassroomEntity, type ClassroomInput, classroomEntity } from './devices/classroom.js'
export { deviceEntity } from './devices/device.js'
export type * from './devices/index.js'
export { macAddress, normalizeMacAddress } from './devices/mac-address.js'
export { timeZone } from './devices/time-zone.js'
export type { CollectionKey, EntityExtensions, Services } from './domains.js'
export type { Costs, CurrencyAmount } from './energy/analytics/amounts.js'
export type { AnalyticsService } from './energy/analytics/analytics-service.js'
export type { AnomaliesQuestion, Anomaly } from './energy/analytics/anomalies.js'
export type { Answer } from './energy/analytics/completeness.js'
export type {
  ClassroomConsumption,
  Comparison,
  Consumer,
  DailySummary,
  PeriodTotals,
  TopConsumersQuestion,
} from './energy/analytics/consumption.js'
export type { CostsQuestion, PeriodCosts } from './energy/analytics/cost-report.js'
export type {
  DevicePerformance,
  DevicePerformanceDay,
  DevicePerformanceQuestion,
} from './energy/analytics/device-performance.js'
export type { DeviceEfficiency, DeviceEfficiencyQuestion } from './energy/analytics/efficiency.js'
export type { Forecast, ForecastError, ForecastQuestion } from './energy/analytics/forecast.js'
export type { IdleUse, IdleUseQuestion } from './energy/analytics/idle-use.js'
export type { LineProtocolQuestion } from './energy/analytics/line-protocol.js'
export type { LoadCurveQuestion, LoadPoint } from './energy/analytics/load-curve.js'
export type { PeakHour } from './energy/analytics/peak-hours.js'
export type { DaysQuestion, EnergyScope, MonthsQuestion } from './energy/analytics/questions.js'
export type { EnergyTotals } from './energy/analytics/totals.js'
export type { MonthlyTrend } from './energy/analytics/trends.js'
export type {
  EnergyBalance,
  EnergyBalanceQuestion,
  UserEnergySummary,
  UserSummariesQuestion,
} from './energy/analytics/user-energy.js'
export type { AnalyticsCache, CacheOptions, SetCachedDataOptions } from './energy/cache/analytics-cache.js'
export type { CacheEntry } from './energy/cache/cache-entry.js'
export type { CacheDependencies } from './energy/cache/dependencies.js'
export { type DeviceConsumption, deviceConsumptionEntity } from './energy/consumption/device-consumption.js'
export type { Derivation, DeriveOptions, Intervals } from './energy/consumption/intervals.js'
export type { ManualIntervalInput } from './energy/consumption/manual-interval.js'
export {
  type PowerConsumption,
  type PowerConsumptionInput,
  type PowerConsumptionMethods,
  powerConsumptionEntity,
} from './energy/consumption/power-consumption.js'
export type { EnergyFigures } from './energy/daily/energy-total.js'
export { type DayRange, dayRangeSchema } from './energy/day-range.js'
export type { Retention } from './energy/domain.js'
export type { ClassroomDay, EnergyService, LivePower, SwitchDay } from './energy/energy-service.js'
export type { ExactSum } from './energy/exact-decimal.js'
export { type EnergyMeasurement, type Implausibility, measurementEntity } from './energy/measurement/measurement.js'
export { type MeasurementInput, measurementInputSchema } from './energy/measurement/measurement-input.js'
export type {
  InsertOptions,
  InsertResult,
  Measurement,
  MeasurementStore,
} from './energy/measurement/measurement-store.js'
export type { SeriesPage, SeriesRange } from './energy/measurement/range.js'
export {
  type TelemetryEvent,
  type TelemetryEventInput,
  telemetryEventEntity,
} from './energy/measurement/telemetry-event.js'
export type { TelemetryStore } from './energy/measurement/telemetry-store.js'
export type { RegisterStartOptions, RegisterUpdate, RegisterUpdater } from './energy/registers/register-updater.js'
export { type DailyAggregate, dailyAggregateEntity } from './energy/roll-ups/daily-aggregate.js'
export { type MonthlyAggregate, monthlyAggregateEntity } from './energy/roll-ups/monthly-aggregate.js'
export type { RollUpUpdate } from './energy/roll-ups/roll-up-updater.js'
export {
  type RollUpDifference,
  type RollUpReport,
  type RollUpSpan,
  type RollUpStartOptions,
  type RollUps,
  rollUpSpanSchema,
} from './energy/roll-ups/roll-ups.js'
export { type CostVersion, type CostVersionInput, costVersionEntity } from './energy/tariffs/cost-version.js'
export { type PowerSettings, type PowerSettingsInput, powerSettingsEntity } from './energy/tariffs/power-settings.js'
export type { PowerSettingsRepository } from './energy/tariffs/power-settings-repository.js'
export type { Recosting } from './energy/tariffs/recosting.js'
export type { TariffHead } from './energy/tariffs/tariff-head.js'
export type { TariffChangeOptions, Tariffs } from './energy/tariffs/tariffs.js'
export type { Firmware } from './firmware/firmware.js'
export type { FirmwareHandler } from './firmware/firmware-handler.js'
export type { FirmwareService, FirmwareStartOptions } from './firmware/firmware-service.js'
export {
  type FirmwareInput,
  type SignedFirmware,
  signedText as firmwareSignedText,
} from './firmware/firmware-upload.js'
export type { FirmwareInstall } from './firmware/install.js'
export type { Rollout } from './firmware/rollout.js'
export type { RolloutInput } from './firmware/rollout-input.js'
export type { FirmwareOffer, OfferFirmware, StepOptions } from './firmware/rollout-offers.js'
export type { RolloutCounts } from './firmware/rollout-step.js'
export type { AttachOptions, OpenOptions } from './handle-options.js'
export { AccessDeniedError } from './identity/access/access-denied-error.js'
export type {
  AccessAction,
  AccessOptions,
  AccessRule,
  AccessScopes,
  AccessTableRow,
  ScopeDefinition,
} from './identity/access/access-rule.js'
export { accessTableText } from './identity/access/access-table.js'
export type { BoundRepository } from './identity/access/bound-repository.js'
export type { AccessChecks, BoundService, BoundServices } from './identity/access/bound-services.js'
export { defaultAccessRules, defaultAccessScopes } from './identity/access/default-rules.js'
export type { Client } from './identity/client.js'
export { nistPasswords, type PasswordOptions } from './identity/passwords/password-options.js'
export {
  type EffectivePreferences,
  preferenceDefaults,
  type ShortPreferences,
} from './identity/preferences/preference-defaults.js'
export {
  type UserPreferences,
  type UserPreferencesInput,
  userPreferencesEntity,
} from './identity/preferences/user-preferences.js'
export type {
  NotificationChannel,
  UserPreferencesRepository,
} from './identity/preferences/user-preferences-repository.js'
export type { AuthProviderInput, AuthProviderName, ProviderAccount } from './identity/providers/auth-key.js'
export type { ProviderIdentity, ProviderOptions } from './identity/providers/provider-sign-in.js'
export type { Session } from './identity/sessions/session.js'
export { aal2Sessions, type SessionOptions } from './identity/sessions/session-options.js'
export type { OpenedSession } from './identity/sessions/session-store.js'
export type { SessionTokens } from './identity/sessions/session-tokens.js'
export type { Sessions, SessionWithUser } from './identity/sessions/sessions.js'
export type { SignedIn } from './identity/sign-in/attempts.js'
export type { LockOutOptions } from './identity/sign-in/lock-out.js'
export type { MailedToken } from './identity/sign-in/mailed-tokens.js'
export type { PasswordChangeOptions } from './identity/sign-in/password-change.js'
export type { SignIn } from './identity/sign-in/sign-in.js'
export { type RefusalReason, SignInError } from './identity/sign-in/sign-in-error.js'
export {
  type AnyUser,
  defaultRoles,
  type User,
  type UserInput,
  type UserRole,
  userEntity,
  userEntityWithRoles,
} from './identity/user.js'
export type { ProviderChangeOptions, UserRepository } from './identity/user-repository.js'
export type { UserStatistics } from './identity/user-statistics.js'
export type { SafeUser } from './identity/user-views.js'
export { checkWalletAddress, type WalletAddressReport } from './identity/wallet-address.js'
export type * from './incidents/index.js'
export type { QuarantinedMessage, QuarantineReason } from './ingestion/quarantine.js'
export type { QuarantineReader } from './ingestion/quarantine-reader.js'
export type { Appended } from './ledger/append/append-call.js'
export type { Archive } from './ledger/archive/archive-entities.js'
export type { ArchiveOptions, ArchiveResult } from './ledger/archive/archiver.js'
export type { VerifyOptions, VerifyProgress } from './ledger/audit/verify-options.js'
export { type LedgerEvent, ledgerEntryEntity, ledgerEventSchema } from './ledger/entry/entry.js'
export type { EntryFlag, EventType } from './ledger/entry/entry-limits.js'
export type { ExportOptions } from './ledger/export/export-writer.js'
export type { EntryPersonalData, Ledger, LedgerEventInput } from './ledger/ledger.js'
export type { Anchor, AnchoredCheckpoint, PublishedCheckpoint } from './ledger/log/anchor.js'
export type { AnchorStatus } from './ledger/log/anchor-publisher.js'
export type { CheckpointResult } from './ledger/log/checkpointer.js'
export { fileAnchor } from './ledger/log/file-anchor.js'
export type { StoredCheckpoint } from './ledger/log/log-entities.js'
export type { LedgerLogOptions } from './ledger/log/log-options.js'
export { type WitnessOptions, witnessAnchor } from './ledger/log/witness-anchor.js'
export type * from './market/index.js'
export type { Confidence, PriceInForce } from './metering/index.js'
export type { NotificationDelivery } from './notifications/delivery.js'
export { type ChannelMessage, type DeliveryChannel, DeliveryRefusedError } from './notifications/delivery-channel.js'
export type { DeliveryRun } from './notifications/delivery-worker.js'
export type { Notification } from './notifications/notification.js'
export type { NotificationEvent, NotificationListener } from './notifications/notification-feed.js'
export type { NotificationInput } from './notifications/notification-input.js'
export type { DeliveryStartOptions, Notifications, UnreadCount } from './notifications/notifications.js'
export type * from './operations/index.js'
export type * from './privacy/index.js'
export type * from './retention/index.js'
export type { Occurrence } from './schedules/occurrences.js'
export { type Schedule, type ScheduleInput, scheduleEntity } from './schedules/schedule.js'
export type { DueAction, ScheduleAction } from './schedules/schedule-action.js'
export type { ScheduleRepository, ScheduleStartOptions } from './schedules/schedule-repository.js'
export type { ScheduleRun } from './schedules/schedule-worker.js'
export type { SiteCalendar, SiteCalendarInput } from './schedules/site-calendar.js'
export type { SwitchTimes } from './schedules/switch-times.js'
export type { StartOptions } from './started-work.js'
