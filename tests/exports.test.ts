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
      'afterQuerySchema',
      'change',
      'classroomEntity',
      'costVersionEntity',
      'dailyAggregateEntity',
      'dayRangeSchema',
      'defineAppendOnlyEntity',
      'defineEntity',
      'deviceConsumptionEntity',
      'deviceEntity',
      'fileAnchor',
      'generateHash',
      'generateLogKeys',
      'genesisHash',
      'instant',
      'ledgerEntryEntity',
      'ledgerEventSchema',
      'macAddress',
      'measurementEntity',
      'measurementInputSchema',
      'monthlyAggregateEntity',
      'normalizeMacAddress',
      'objectId',
      'pageQuerySchema',
      'powerConsumptionEntity',
      'powerSettingsEntity',
      'quantity',
      'rollUpSpanSchema',
      'silentLogger',
      'systemClock',
      'telemetryEventEntity',
      'timeZone',
      'userEntity',
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
