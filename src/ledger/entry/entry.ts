import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { instant, json, objectId, quantity } from '../../core/fields.js'
import { isPrice } from '../../metering/index.js'
import {
  energySources,
  entryFlags,
  entrySources,
  entryTypes,
  eventFlags,
  eventTypes,
  numberLimits,
  textLimits,
} from './entry-limits.js'
import { entryFormatVersion } from './format-version.js'
import { sha256 } from './sha256.js'

/** Characters of JSON; with the longest notes it is less than what is stored may have. */
const maximumPersonal = 900_000
const number = (name: keyof typeof numberLimits) => quantity(numberLimits[name][0], numberLimits[name][1])
const integer = (name: keyof typeof numberLimits) => z.int().min(numberLimits[name][0]).max(numberLimits[name][1])
const text = (name: keyof typeof textLimits) => z.string().min(textLimits[name][0]).max(textLimits[name][1])

/** The value that an energy source gave. */
const readingFields = z.strictObject({
  /** W; negative while producing. */
  powerW: number('powerW').optional(),
  /** Wh; the consumption counter. */
  energyWh: number('energyWh').optional(),
  /** Wh; the counter's smallest step. */
  counterQuantumWh: number('counterQuantumWh').optional(),
  /** Wh; where the counter starts again from zero. */
  counterWidthWh: number('counterWidthWh').optional(),
  /** W; what is plausible at most. */
  maximumPower: number('maximumPower').optional(),
})

/** What somebody adds to the registers, or takes away, by hand. */
const adjustmentFields = z.strictObject({
  /** W·s, to the milliwatt-second; what the switch has consumed more, or less, than its entries say. */
  energyWs: number('energyWs'),
  /** W·s; the same for what it has produced. */
  productionWs: number('productionWs'),
  /** Currency units. */
  cost: number('cost').refine(isPrice, { error: 'expected at most six decimals' }),
})

const metadataFields = z.strictObject({
  /** Who said so: the device, the broker or a person. */
  source: z.enum(entrySources),
  /** The firmware that the device ran then. */
  firmwareVersion: text('firmwareVersion').optional(),
  /** V */
  voltage: number('voltage').optional(),
  /** A */
  current: number('current').optional(),
  /** Between -1 and 1. */
  powerFactor: number('powerFactor').optional(),
  /** °C */
  temperature: number('temperature').optional(),
  /** The restart of the device that the message was sent after. */
  bootId: text('bootId').optional(),
  /** The device's own number of the message; orders messages of one time stamp. */
  deviceSequence: integer('deviceSequence').optional(),
  /** The id that it had in an origin system. */
  originalRecordId: text('originalRecordId').optional(),
})

const givenFields = {
  switchId: objectId(),
  deviceId: objectId(),
  classroom: objectId(),
  /** When it happened. */
  timestamp: instant(),
  /** When it was received. */
  receivedAt: instant(),
  /** Whether the switch was on afterwards. */
  powerState: z.boolean(),
  /** W; what the load takes while it is on, where nothing measures it. */
  powerRating: number('powerRating'),
  energySource: z.enum(energySources),
  /**
   * There if what the source tells is production, as of a solar inverter: what its counter counts, its power whatever the
   * sign, its rating. Without it a counter and a rating are consumption, and a power is production while it is negative.
   */
  energyDirection: z.literal('production').optional(),
  reading: readingFields.optional(),
  adjustment: adjustmentFields.optional(),
  /** ms; how long a reading, or a sign of life, holds without another. */
  gapLimitMs: integer('gapLimitMs'),
  /** The device had been silent since then, for longer than its gap limit. */
  silentSince: instant().optional(),
  /** Currency units per kWh, in force when it happened. */
  ratePerKwh: number('ratePerKwh').refine(isPrice, { error: 'expected at most six decimals' }),
  flags: z.array(z.enum(entryFlags)).max(8),
  metadata: metadataFields,
  idempotencyKey: text('idempotencyKey'),
}

const eventFields = {
  ...givenFields,
  eventType: z.enum(entryTypes),
  /** The hash of the entry whose personal data was erased. */
  erases: sha256().optional(),
  /** Stands for personal data that is kept beside the ledger. */
  personalCommitment: sha256().optional(),
}

function tellsPowerOrCounter(reading: unknown): boolean {
  const { powerW, energyWh } = Object(reading) as { powerW?: unknown; energyWh?: unknown }
  return powerW !== undefined || energyWh !== undefined
}

/** One event of a switch, and where it stands in the switch's chain. */
export const ledgerEntryEntity = defineAppendOnlyEntity({
  name: 'ledger entry',
  collection: 'power_consumption_ledger',
  personal: 'none',
  // Entries are kept for years.
  compressor: 'zstd',
  fields: {
    /** The version of the entry’s form. */
    formatVersion: z.literal(entryFormatVersion),
    /** The number of the entry in its chain, from 1. */
    sequence: integer('sequence'),
    ...eventFields,
    /** W·s; the energy that the switch has consumed according to the entries so far. */
    cumulativeEnergy: number('cumulativeEnergy'),
    /** W·s; the energy that it has produced. */
    cumulativeProduction: number('cumulativeProduction'),
    /** What the consumed energy has cost, in currency units. */
    calculatedCost: number('calculatedCost'),
    /** The hash of the entry before in the chain; zeros for the first. */
    previousHash: sha256(),
    /** The SHA-256 of the entry. */
    hash: sha256(),
  },
  rules: [
    {
      path: 'reading',
      message: 'a power_reading has a reading of a power or a counter',
      check: ({ eventType, reading }) => eventType !== 'power_reading' || tellsPowerOrCounter(reading),
      expression: {
        $or: [
          { $ne: ['$eventType', 'power_reading'] },
          { $ne: [{ $type: '$reading.powerW' }, 'missing'] },
          { $ne: [{ $type: '$reading.energyWh' }, 'missing'] },
        ],
      },
    },
    {
      path: 'reading',
      message: 'a refused_reading has no reading',
      check: ({ eventType, reading }) => eventType !== 'refused_reading' || reading === undefined,
      expression: {
        $or: [{ $ne: ['$eventType', 'refused_reading'] }, { $eq: [{ $type: '$reading' }, 'missing'] }],
      },
    },
    {
      path: 'powerState',
      message: 'a switch that was switched on is on, and one that was switched off is not',
      check: ({ eventType, powerState }) =>
        (eventType !== 'switch_on' && eventType !== 'switch_off') || powerState === (eventType === 'switch_on'),
      expression: {
        $or: [
          { $not: [{ $in: ['$eventType', ['switch_on', 'switch_off']] }] },
          { $eq: ['$powerState', { $eq: ['$eventType', 'switch_on'] }] },
        ],
      },
    },
    {
      path: 'adjustment',
      message: 'a manual_adjustment has an adjustment, and nothing else has one',
      check: ({ eventType, adjustment }) => (eventType === 'manual_adjustment') === (adjustment !== undefined),
      expression: {
        $eq: [{ $eq: ['$eventType', 'manual_adjustment'] }, { $eq: [{ $type: '$adjustment' }, 'object'] }],
      },
    },
    {
      path: 'erases',
      message: 'an erasure names the entry that it erases, and nothing else does',
      check: ({ eventType, erases }) => (eventType === 'erasure') === (erases !== undefined),
      expression: { $eq: [{ $eq: ['$eventType', 'erasure'] }, { $eq: [{ $type: '$erases' }, 'binData'] }] },
    },
  ],
  shardKey: { switchId: 1 },
  indexes: [
    { key: { switchId: 1, sequence: 1 }, unique: true, serves: 'a chain in order, its head, and one entry per place' },
    {
      key: { switchId: 1, idempotencyKey: 1 },
      unique: true,
      serves: 'one entry per event, however often it is delivered',
    },
    { key: { switchId: 1, timestamp: 1 }, serves: 'a switch by time' },
    {
      key: { eventType: 1, timestamp: 1 },
      partialFilterExpression: { eventType: { $in: ['switch_on', 'switch_off', 'manual_adjustment', 'erasure'] } },
      serves: 'adjustments by time; what was switched, newest first',
    },
    {
      key: { deviceId: 1, switchId: 1 },
      partialFilterExpression: { flags: 'placed' },
      serves: 'the chains that have entries of a device',
    },
    {
      key: { classroom: 1, switchId: 1 },
      partialFilterExpression: { flags: 'placed' },
      serves: 'the chains that have entries of a classroom',
    },
    {
      key: { personalCommitment: 1 },
      partialFilterExpression: { personalCommitment: { $exists: true } },
      serves: 'the entries that have personal data, which a verification compares',
    },
  ],
})

export type LedgerEntry = Stored<typeof ledgerEntryEntity>

/** What happened to a switch: everything in an entry that does not follow from the chain. */
export type LedgerEvent = z.output<typeof entryEventSchema>
const entryEventSchema = z.strictObject(eventFields)

/** An event as a host hands it in. */
export const ledgerEventSchema = z
  .strictObject({
    ...givenFields,
    /** What happened. */
    eventType: z.enum(eventTypes),
    /** What is to be known of it, such as `late`. */
    flags: z.array(z.enum(eventFlags)).max(8),
    /** Free text. It is kept as personal data, which can be erased. */
    notes: z.string().min(1).max(4000).optional(),
    /** Whatever else of it is personal, as JSON. It can be erased; the entry itself cannot. */
    personal: z
      .record(z.string().min(1).max(100), json())
      .refine(
        (data) => JSON.stringify(data).length <= maximumPersonal,
        `is more than ${maximumPersonal} characters of JSON`,
      )
      .optional(),
  })
  .check(({ value, issues }) => {
    for (const { path, message, check } of ledgerEntryEntity.rules)
      if (!check(value)) issues.push({ code: 'custom', path: [path], message, input: value })
  })
