export type { Activity } from './activity/activity.js'
export type { ActivityLog } from './activity/activity-log.js'
export type { AuditLog } from './activity/audit-log.js'
export type { AuditRecord } from './activity/audit-record.js'
export { type AttachOptions, AutoVolt, type OpenOptions } from './autovolt.js'
export { type Clock, systemClock } from './core/clock.js'
export type {
  EntityCollection,
  StoreBulkCounts,
  StoreBulkOptions,
  StoreInsertOptions,
  StoreUpdateOptions,
} from './core/collection/entity-collection.js'
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
  type EntityBehaviour,
  type EntityDescription,
  type EntityExtension,
  type EntityOptions,
  type EntityRule,
  type Identified,
  type IndexDefinition,
  type Input,
  type SortDirection,
  type Stored,
  type StoredFields,
  type TimeSeriesOptions,
  type ValidationLevel,
} from './core/entity.js'
export {
  ConflictError,
  DatabaseConnectionError,
  DatabaseError,
  type DatabaseErrorOptions,
  type ErrorCode,
  NotFoundError,
  ValidationError,
  type ValidationIssue,
} from './core/errors.js'
export { instant, objectId, quantity, timeZone } from './core/fields.js'
export type { Health, PoolUse } from './core/health.js'
export type { MongoJsonSchema } from './core/json-schema.js'
export type { KeyRing, KeyRingOptions } from './core/key-ring.js'
export { type Logger, type LogMethod, silentLogger } from './core/logger.js'
export type { Models } from './core/model.js'
export type { BulkOperation, BulkResult } from './core/repository/bulk.js'
export type { EntityChange, WatchOptions } from './core/repository/change-stream.js'
export { type Change, type Changes, change, type Removal, type UpdateOperator } from './core/repository/changes.js'
export {
  type Combination,
  type Condition,
  type DottedFields,
  type Filter,
  where,
} from './core/repository/conditions.js'
export type { Page, Slice } from './core/repository/page.js'
export { afterQuerySchema, pageQuerySchema } from './core/repository/page-query.js'
export {
  type AfterOptions,
  type FindManyOptions,
  type PageOptions,
  Reader,
  type StreamOptions,
} from './core/repository/reader.js'
export { Repository, type UpdateOptions } from './core/repository/repository.js'
export type { ListOptions, ReadOptions, Selected, Sort } from './core/repository/selection.js'
export type { SchemaLike } from './core/schema-like.js'
export type { CollectionReport, SetupReport } from './core/setup.js'
export type { IndexReport } from './core/setup-indexes.js'
export type { Transactions } from './core/transaction.js'
export { validateData } from './core/validate.js'
export { type Classroom, type ClassroomEntity, type ClassroomInput, classroomEntity } from './devices/classroom.js'
export {
  type Device,
  type DeviceEntity,
  type DeviceInput,
  type DeviceSwitch,
  deviceEntity,
  type EnergyRole,
  type EnergySource,
  type LedgerRecording,
} from './devices/device.js'
export type { DevicePresence, DeviceRepository } from './devices/device-repository.js'
export { macAddress, normalizeMacAddress } from './devices/mac-address.js'
export type { CollectionKey, EntityExtensions, Services } from './domains.js'
export type { Costs, CurrencyAmount } from './energy/analytics/amounts.js'
export type { AnalyticsService } from './energy/analytics/analytics-service.js'
export { type AnomaliesQuestion, type Anomaly, anomaliesSchema } from './energy/analytics/anomalies.js'
export {
  type ClassroomConsumption,
  type Comparison,
  type Consumer,
  type DailySummary,
  type PeriodTotals,
  type TopConsumersQuestion,
  topConsumersSchema,
} from './energy/analytics/consumption.js'
export { type CostsQuestion, costsSchema, type PeriodCosts } from './energy/analytics/cost-report.js'
export {
  activeDaysPipeline,
  type ClassroomDaySums,
  type CurrencySums,
  consumersPipeline,
  type DaySums,
  type DaysScope,
  dailyByClassroomPipeline,
  dailySummaryPipeline,
  daysStages,
  type KeyedSums,
  type Sums,
  switchConsumersPipeline,
} from './energy/analytics/daily-pipelines.js'
export { type DayWithHours, dayHoursPipeline } from './energy/analytics/day-hours.js'
export {
  type DevicePerformance,
  type DevicePerformanceDay,
  type DevicePerformanceQuestion,
  devicePerformanceSchema,
} from './energy/analytics/device-performance.js'
export {
  type DeviceEfficiency,
  type DeviceEfficiencyQuestion,
  deviceEfficiencySchema,
} from './energy/analytics/efficiency.js'
export {
  type Forecast,
  type ForecastError,
  type ForecastQuestion,
  forecastSchema,
} from './energy/analytics/forecast.js'
export { type IdleUse, type IdleUseQuestion, idleUseSchema } from './energy/analytics/idle-use.js'
export { type LineProtocolQuestion, lineProtocolSchema } from './energy/analytics/line-protocol.js'
export { type LoadCurveQuestion, type LoadPoint, loadCurveSchema } from './energy/analytics/load-curve.js'
export {
  type DeviceUse,
  deviceEfficiencyOfDaysPipeline,
  deviceEfficiencyPipeline,
  type HourSums,
  type MonthSums,
  type MonthsScope,
  type MonthTrend,
  monthlySumsPipeline,
  monthlyTrendPipeline,
  monthsStages,
  type Part,
  peakHoursPipeline,
} from './energy/analytics/monthly-pipelines.js'
export type { PeakHour } from './energy/analytics/peak-hours.js'
export {
  type DaysQuestion,
  daysQuestionSchema,
  type EnergyScope,
  energyScopeSchema,
  type MonthsQuestion,
  monthsQuestionSchema,
  type ParsedDays,
  type ParsedMonths,
} from './energy/analytics/questions.js'
export { dailyStages, monthlyStages, type Pipeline, type RowOf, type StagesOf } from './energy/analytics/stages.js'
export type { EnergyTotals } from './energy/analytics/totals.js'
export type { MonthlyTrend } from './energy/analytics/trends.js'
export {
  type EnergyBalance,
  type EnergyBalanceQuestion,
  energyBalanceSchema,
  type UserEnergySummary,
  type UserSummariesQuestion,
  userSummariesSchema,
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
export { type DayRange, dayRangeSchema } from './energy/day-range.js'
export type { Retention } from './energy/domain.js'
export type { ClassroomDay, EnergyService, LivePower, SwitchDay } from './energy/energy-service.js'
export type { EnergyFigures } from './energy/energy-total.js'
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
export type { RegisterKeeper, RegisterStartOptions, RegisterUpdate } from './energy/registers/register-keeper.js'
export { type DailyAggregate, dailyAggregateEntity } from './energy/rollups/daily-aggregate.js'
export type { RollUpUpdate } from './energy/rollups/keeper.js'
export { type MonthlyAggregate, monthlyAggregateEntity } from './energy/rollups/monthly-aggregate.js'
export {
  type RollUpDifference,
  type RollUpReport,
  type RollUpSpan,
  type RollUpStartOptions,
  type RollUps,
  rollUpSpanSchema,
} from './energy/rollups/rollups.js'
export { type CostVersion, type CostVersionInput, costVersionEntity } from './energy/tariffs/cost-version.js'
export { type PowerSettings, type PowerSettingsInput, powerSettingsEntity } from './energy/tariffs/power-settings.js'
export type { PowerSettingsRepository } from './energy/tariffs/power-settings-repository.js'
export type { Recosting } from './energy/tariffs/recosting.js'
export type { TariffHead } from './energy/tariffs/tariff-head.js'
export type { TariffChangeOptions, Tariffs } from './energy/tariffs/tariffs.js'
export { type User, type UserInput, userEntity } from './identity/user.js'
export type { QuarantinedMessage, QuarantineReason } from './ingestion/quarantine.js'
export type { QuarantineReader } from './ingestion/quarantine-reader.js'
export type { Appended } from './ledger/append/append-call.js'
export type { Archive } from './ledger/archive/archive-entities.js'
export type { ArchiveOptions, ArchiveResult } from './ledger/archive/archiver.js'
export type { AnchorReport, Damage, Finding, VerificationReport } from './ledger/audit/finding.js'
export type { VerifyOptions, VerifyProgress } from './ledger/audit/verify-options.js'
export {
  type EntryFlag,
  type EventType,
  type LedgerEntry,
  type LedgerEvent,
  ledgerEntryEntity,
  ledgerEventSchema,
} from './ledger/entry/entry.js'
export type { UnhashedEntry } from './ledger/entry/entry-bytes.js'
export { generateHash, genesisHash } from './ledger/entry/hash.js'
export type { ExportOptions } from './ledger/export/export-writer.js'
export type { EntryPersonalData, Ledger, LedgerEventInput } from './ledger/ledger.js'
export type { Anchor, AnchoredCheckpoint, PublishedCheckpoint } from './ledger/log/anchor.js'
export type { AnchorStatus } from './ledger/log/anchor-keeper.js'
export type { CheckpointResult } from './ledger/log/checkpointer.js'
export { fileAnchor } from './ledger/log/file-anchor.js'
export type { StoredCheckpoint } from './ledger/log/log-entities.js'
export type { LedgerLogOptions } from './ledger/log/log-options.js'
export {
  type ConsistencyProof,
  type InclusionProof,
  type ProofVerdict,
  verifyConsistency,
  verifyInclusion,
} from './ledger/log/proof.js'
export { generateLogKeys, type LogKeys } from './ledger/log/signed-note.js'
export { type WitnessOptions, witnessAnchor } from './ledger/log/witness-anchor.js'
export type { Confidence, PriceInForce } from './metering/index.js'
