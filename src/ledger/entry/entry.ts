import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { instant, json, objectId, quantity } from '../../core/fields.js'
import { isPrice } from '../../metering/index.js'
import { entryFormatVersion } from './format-version.js'

/** What a host can append. */
const eventTypes = ['switch_on', 'switch_off', 'power_reading', 'manual_adjustment'] as const
/** What an entry can be: an erasure is appended by `erase` alone. */
const entryTypes = [...eventTypes, 'erasure'] as const
const entrySources = ['mqtt', 'api', 'manual', 'calculated', 'migration'] as const
export const entryFlags = [
  /** It arrived after an entry with a later time stamp. */
  'late',
  /** Its device had no credible clock; the time is that of the arrival. */
  'clock_replaced',
  /** The local time that the device gave occurs twice that day, and nothing decides between the two. */
  'clock_ambiguous',
  /** What happened while the device was silent is inferred. */
  'estimated',
  /** It was read off a snapshot of all relays, not reported as an event. */
  'snapshot',
  /** It records the restart of the device. */
  'reboot',
] as const

export type EventType = (typeof entryTypes)[number]
export type EntryFlag = (typeof entryFlags)[number]

const hash = () => z.string().regex(/^[0-9a-f]{64}$/)
/** W·s; up to here a register's milliwatt-seconds are whole numbers that nothing is lost of. */
export const maximumRegisterWs = 8e12
/** Characters of JSON; with the longest notes it is less than what is stored may have. */
const maximumPersonal = 900_000
const register = () => quantity(-maximumRegisterWs, maximumRegisterWs)

/** The value that an energy source gave. */
const readingFields = z.strictObject({
  /** W; negative while producing. */
  powerW: quantity(-1e9, 1e9).optional(),
  /** Wh; the consumption counter. */
  energyWh: quantity(0, 1e15).optional(),
  /** Wh; the counter's smallest step. */
  counterQuantumWh: quantity(0, 1e6).optional(),
  /** Wh; where the counter starts again from zero. */
  counterWidthWh: quantity(0, 1e15).optional(),
  /** W; what is plausible at most. */
  maximumPower: quantity(1, 1e9).optional(),
})

/** What somebody adds to the registers, or takes away, by hand. */
const adjustmentFields = z.strictObject({
  /** W·s, to the milliwatt-second; what the switch has consumed more, or less, than its entries say. */
  energyWs: quantity(-maximumRegisterWs, maximumRegisterWs),
  /** W·s; the same for what it has produced. */
  productionWs: quantity(-maximumRegisterWs, maximumRegisterWs),
  /** Currency units. */
  cost: quantity(-1e9, 1e9).refine(isPrice, { error: 'expected at most six decimals' }),
})

const metadataFields = z.strictObject({
  source: z.enum(entrySources),
  firmwareVersion: z.string().max(100).optional(),
  /** V */
  voltage: quantity(-1e6, 1e6).optional(),
  /** A */
  current: quantity(-1e6, 1e6).optional(),
  powerFactor: quantity(-1, 1).optional(),
  /** °C */
  temperature: quantity(-273.15, 1e4).optional(),
  /** The restart of the device that the message was sent after. */
  bootId: z.string().min(1).max(64).optional(),
  /** The device's own number of the message; orders messages of one time stamp. */
  deviceSequence: z.int().min(0).optional(),
  originalRecordId: z.string().max(200).optional(),
})

const givenFields = {
  switchId: objectId(),
  deviceId: objectId(),
  classroom: objectId(),
  /** When it happened. */
  timestamp: instant(),
  /** When it was heard of. */
  receivedAt: instant(),
  /** Whether the switch was on afterwards. */
  powerState: z.boolean(),
  /** W; what the load takes while it is on, where nothing measures it. */
  powerRating: quantity(0, 1e6),
  energySource: z.enum(['counter', 'power', 'rated']),
  /**
   * There if what the source tells is production, as of a solar inverter: what its counter counts, its power whatever the
   * sign, its rating. Without it a counter and a rating are consumption, and a power is production while it is negative.
   */
  energyDirection: z.literal('production').optional(),
  reading: readingFields.optional(),
  adjustment: adjustmentFields.optional(),
  /** ms; how long a reading, or a sign of life, holds without another. */
  gapLimitMs: z.int().min(1000).max(1e9),
  /** The device had been silent since then, for longer than its gap limit. */
  silentSince: instant().optional(),
  /** Currency units per kWh, in force when it happened. */
  ratePerKwh: quantity(-1e6, 1e6).refine(isPrice, { error: 'expected at most six decimals' }),
  flags: z.array(z.enum(entryFlags)).max(8),
  metadata: metadataFields,
  idempotencyKey: z.string().min(1).max(200),
}

const eventFields = {
  ...givenFields,
  eventType: z.enum(entryTypes),
  /** The hash of the entry whose personal data was erased. */
  erases: hash().optional(),
  /** Stands for personal data that is kept beside the ledger. */
  personalCommitment: hash().optional(),
}

function tellsPowerOrCounter(reading: unknown): boolean {
  const { powerW, energyWh } = Object(reading) as { powerW?: unknown; energyWh?: unknown }
  return powerW !== undefined || energyWh !== undefined
}

/** One event of a switch, and where it stands in the switch's chain. */
export const ledgerEntryEntity = defineAppendOnlyEntity({
  name: 'ledger entry',
  collection: 'power_consumption_ledger',
  fields: {
    formatVersion: z.literal(entryFormatVersion),
    /** The number of the entry in its chain, from 1. */
    sequence: z.int().min(1),
    ...eventFields,
    /** W·s; the energy that the switch has consumed according to the entries so far. */
    cumulativeEnergy: register(),
    /** W·s; the energy that it has produced. */
    cumulativeProduction: register(),
    /** What the consumed energy has cost, in currency units. */
    calculatedCost: quantity(-1e12, 1e12),
    previousHash: hash(),
    hash: hash(),
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
      expression: { $eq: [{ $eq: ['$eventType', 'erasure'] }, { $eq: [{ $type: '$erases' }, 'string'] }] },
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
    { key: { classroom: 1, timestamp: 1 }, serves: 'a classroom by time' },
    { key: { eventType: 1, timestamp: 1 }, serves: 'an event type by time' },
    { key: { hash: 1 }, serves: 'an entry by its hash' },
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
    eventType: z.enum(eventTypes),
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
