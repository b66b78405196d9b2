import { type Document, Double } from 'mongodb'
import type { LedgerEntry } from './entry.js'

/**
 * The entry as it is handed to the driver: the fields in the order in which they are hashed, every number a double
 * whatever its value.
 */
export function toStoredEntry(entry: LedgerEntry): Document {
  return {
    _id: entry._id,
    formatVersion: new Double(entry.formatVersion),
    switchId: entry.switchId,
    sequence: new Double(entry.sequence),
    deviceId: entry.deviceId,
    classroom: entry.classroom,
    timestamp: entry.timestamp,
    receivedAt: entry.receivedAt,
    eventType: entry.eventType,
    powerState: entry.powerState,
    powerRating: new Double(entry.powerRating),
    energySource: entry.energySource,
    reading: entry.reading && toStoredReading(entry.reading),
    adjustment: entry.adjustment && toStoredAdjustment(entry.adjustment),
    erases: entry.erases,
    gapLimitMs: new Double(entry.gapLimitMs),
    silentSince: entry.silentSince,
    ratePerKwh: new Double(entry.ratePerKwh),
    flags: entry.flags,
    metadata: toStoredMetadata(entry.metadata),
    personalCommitment: entry.personalCommitment,
    idempotencyKey: entry.idempotencyKey,
    cumulativeEnergy: new Double(entry.cumulativeEnergy),
    cumulativeProduction: new Double(entry.cumulativeProduction),
    calculatedCost: new Double(entry.calculatedCost),
    previousHash: entry.previousHash,
    hash: entry.hash,
  }
}

function toStoredReading(reading: NonNullable<LedgerEntry['reading']>): Document {
  return {
    powerW: double(reading.powerW),
    energyWh: double(reading.energyWh),
    counterQuantumWh: double(reading.counterQuantumWh),
    counterWidthWh: double(reading.counterWidthWh),
    maximumPower: double(reading.maximumPower),
  }
}

function toStoredAdjustment({ energyWs, productionWs, cost }: NonNullable<LedgerEntry['adjustment']>): Document {
  return { energyWs: new Double(energyWs), productionWs: new Double(productionWs), cost: new Double(cost) }
}

function toStoredMetadata(metadata: LedgerEntry['metadata']): Document {
  return {
    source: metadata.source,
    firmwareVersion: metadata.firmwareVersion,
    voltage: double(metadata.voltage),
    current: double(metadata.current),
    powerFactor: double(metadata.powerFactor),
    temperature: double(metadata.temperature),
    bootId: metadata.bootId,
    deviceSequence: double(metadata.deviceSequence),
    originalRecordId: metadata.originalRecordId,
  }
}

/** Absent stays absent: the driver leaves out what is undefined. */
function double(value: number | undefined): Double | undefined {
  return value === undefined ? undefined : new Double(value)
}
