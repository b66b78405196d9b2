import * as root from '@autovolt/data'
import * as analytics from '@autovolt/data/analytics'
import * as backup from '@autovolt/data/backup'
import * as ledger from '@autovolt/data/ledger'
import * as migrations from '@autovolt/data/migrations'
import * as mqtt from '@autovolt/data/mqtt'
import * as opentelemetry from '@autovolt/data/opentelemetry'
import * as prometheus from '@autovolt/data/prometheus'
import * as testing from '@autovolt/data/testing'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

// What hosts can import, literally: a name that comes or goes shows up in the change that brings it.
describe('the package', () => {
  it('has these entry points', () => {
    expect(Object.keys(manifest.exports)).toEqual([
      '.',
      './analytics',
      './backup',
      './ledger',
      './migrations',
      './mqtt',
      './opentelemetry',
      './prometheus',
      './testing',
      './package.json',
    ])
  })

  it('exports these values from its root', () => {
    expect(Object.keys(root).sort()).toEqual([
      'AccessDeniedError',
      'AutoVolt',
      'BusyError',
      'ConflictError',
      'DatabaseConnectionError',
      'DatabaseError',
      'DeliveryRefusedError',
      'NotFoundError',
      'Reader',
      'Repository',
      'SetupBlockedError',
      'SignInError',
      'ValidationError',
      'aal2Sessions',
      'accessTableText',
      'afterQuerySchema',
      'binary',
      'change',
      'checkWalletAddress',
      'classroomEntity',
      'costVersionEntity',
      'dailyAggregateEntity',
      'dayRangeSchema',
      'defaultAccessRules',
      'defaultAccessScopes',
      'defaultRoles',
      'defineAppendOnlyEntity',
      'defineEntity',
      'deviceConsumptionEntity',
      'deviceEntity',
      'fileAnchor',
      'firmwareSignedText',
      'instant',
      'ledgerEntryEntity',
      'ledgerEventSchema',
      'macAddress',
      'measurementEntity',
      'measurementInputSchema',
      'monthlyAggregateEntity',
      'nistPasswords',
      'normalizeMacAddress',
      'objectId',
      'pageQuerySchema',
      'powerConsumptionEntity',
      'powerSettingsEntity',
      'preferenceDefaults',
      'quantity',
      'rollUpSpanSchema',
      'scheduleEntity',
      'silentLogger',
      'systemClock',
      'telemetryEventEntity',
      'timeZone',
      'userEntity',
      'userEntityWithRoles',
      'userPreferencesEntity',
      'validateData',
      'where',
      'witnessAnchor',
    ])
  })

  it("exports these values for questions of a host's own", () => {
    expect(Object.keys(analytics).sort()).toEqual([
      'activeDaysPipeline',
      'consumersPipeline',
      'dailyByClassroomPipeline',
      'dailyStages',
      'dailySummaryPipeline',
      'dayHoursPipeline',
      'daysStages',
      'deviceEfficiencyOfDaysPipeline',
      'deviceEfficiencyPipeline',
      'monthlyStages',
      'monthlySumsPipeline',
      'monthlyTrendPipeline',
      'monthsStages',
      'peakHoursPipeline',
      'questionSchemas',
      'switchConsumersPipeline',
    ])
  })

  it('exports these values for backups', () => {
    expect(Object.keys(backup).sort()).toEqual([
      'folderStorage',
      'importDump',
      'resealBackupKeys',
      's3Storage',
      'verifyStoredBackup',
    ])
  })

  it('exports these values for auditors', () => {
    expect(Object.keys(ledger).sort()).toEqual([
      'ExportError',
      'NoteError',
      'UntrustedCheckpointError',
      'generateHash',
      'generateLogKeys',
      'genesisHash',
      'verifyConsistency',
      'verifyExport',
      'verifyInclusion',
    ])
  })

  it('exports these values for migrations', () => {
    expect(Object.keys(migrations).sort()).toEqual([
      'MigrationError',
      'collectionsBesideOrigin',
      'defineMigration',
      'runMigrationCommand',
      'standardMappings',
    ])
  })

  it('exports these values for MQTT', () => {
    expect(Object.keys(mqtt).sort()).toEqual([
      'connectTransport',
      'deployedDecoder',
      'meteredDecoder',
      'offerFirmwareBy',
      'startIngestion',
      'v2Decoder',
    ])
  })

  it('exports these values for metrics and traces', () => {
    expect(Object.keys(opentelemetry).sort()).toEqual(['reportMetrics', 'traceCalls'])
    expect(Object.keys(prometheus)).toEqual(['registerMetrics'])
  })

  it('exports these values for tests', () => {
    expect(Object.keys(testing).sort()).toEqual(['findMongod', 'startReplicaSet', 'startTestDatabase'])
  })
})
