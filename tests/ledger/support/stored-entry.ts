import { type Document, Double } from 'mongodb'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'

/**
 * The entry for the driver to serialize, which shares no code with the library's own bytes: the fields in the order in which
 * they are hashed, every number a double whatever its value.
 */
export function toStoredEntry(entry: LedgerEntry): Document {
  return {
    _id: entry._id,
    formatVersion: double(entry.formatVersion),
    switchId: entry.switchId,
    sequence: double(entry.sequence),
    deviceId: entry.deviceId,
    classroom: entry.classroom,
    timestamp: entry.timestamp,
    receivedAt: entry.receivedAt,
    eventType: entry.eventType,
    powerState: entry.powerState,
    powerRating: double(entry.powerRating),
    energySource: entry.energySource,
    energyDirection: entry.energyDirection,
    reading: entry.reading && toStoredReading(entry.reading),
    adjustment: entry.adjustment && toStoredAdjustment(entry.adjustment),
    erases: entry.erases,
    gapLimitMs: double(entry.gapLimitMs),
    silentSince: entry.silentSince,
    ratePerKwh: double(entry.ratePerKwh),
    flags: entry.flags,
    metadata: toStoredMetadata(entry.metadata),
    personalCommitment: entry.personalCommitment,
    idempotencyKey: entry.idempotencyKey,
    cumulativeEnergy: double(entry.cumulativeEnergy),
    cumulativeProduction: double(entry.cumulativeProduction),
    calculatedCost: double(entry.calculatedCost),
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
  return { energyWs: double(energyWs), productionWs: double(productionWs), cost: double(cost) }
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

/** What the driver writes as a double: other numbers are so by themselves. Absent stays absent, which it leaves out. */
function double(value: number | undefined): Double | number | undefined {
  return Number.isInteger(value) ? new Double(value as number) : value
}
