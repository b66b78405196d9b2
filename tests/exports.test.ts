import * as root from '@autovolt/data'
import * as ledger from '@autovolt/data/ledger'
import * as mqtt from '@autovolt/data/mqtt'
import * as testing from '@autovolt/data/testing'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

// What hosts can import, literally: a name that comes or goes shows up in the change that brings it.
describe('the package', () => {
  it('has these entry points', () => {
    expect(Object.keys(manifest.exports)).toEqual(['.', './ledger', './mqtt', './testing', './package.json'])
  })

  it('exports these values from its root', () => {
    expect(Object.keys(root).sort()).toEqual([
      'AutoVolt',
      'ConflictError',
      'DatabaseConnectionError',
      'DatabaseError',
      'NotFoundError',
      'Reader',
      'Repository',
      'ValidationError',
      'activeDaysPipeline',
      'afterQuerySchema',
      'anomaliesSchema',
      'change',
      'classroomEntity',
      'consumersPipeline',
      'costVersionEntity',
      'costsSchema',
      'dailyAggregateEntity',
      'dailyByClassroomPipeline',
      'dailyStages',
      'dailySummaryPipeline',
      'dayHoursPipeline',
      'dayRangeSchema',
      'daysQuestionSchema',
      'daysStages',
      'defineAppendOnlyEntity',
      'defineEntity',
      'deviceConsumptionEntity',
      'deviceEfficiencyOfDaysPipeline',
      'deviceEfficiencyPipeline',
      'deviceEfficiencySchema',
      'deviceEntity',
      'devicePerformanceSchema',
      'energyBalanceSchema',
      'energyScopeSchema',
      'fileAnchor',
      'forecastSchema',
      'generateHash',
      'generateLogKeys',
      'genesisHash',
      'idleUseSchema',
      'instant',
      'ledgerEntryEntity',
      'ledgerEventSchema',
      'lineProtocolSchema',
      'loadCurveSchema',
      'macAddress',
      'measurementEntity',
      'measurementInputSchema',
      'monthlyAggregateEntity',
      'monthlyStages',
      'monthlySumsPipeline',
      'monthlyTrendPipeline',
      'monthsQuestionSchema',
      'monthsStages',
      'normalizeMacAddress',
      'objectId',
      'pageQuerySchema',
      'peakHoursPipeline',
      'powerConsumptionEntity',
      'powerSettingsEntity',
      'quantity',
      'rollUpSpanSchema',
      'silentLogger',
      'switchConsumersPipeline',
      'systemClock',
      'telemetryEventEntity',
      'timeZone',
      'topConsumersSchema',
      'userEntity',
      'userSummariesSchema',
      'validateData',
      'verifyConsistency',
      'verifyInclusion',
      'where',
      'witnessAnchor',
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

  it('exports these values for MQTT', () => {
    expect(Object.keys(mqtt).sort()).toEqual(['deployedDecoder', 'meteredDecoder', 'startIngestion', 'v2Decoder'])
  })

  it('exports these values for tests', () => {
    expect(Object.keys(testing).sort()).toEqual(['findMongod', 'startReplicaSet', 'startTestDatabase'])
  })
})
