import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { defineEntity, type Entity, type Input, type Stored } from '../core/entity.js'
import { objectId, quantity } from '../core/fields.js'
import { macAddress } from './mac-address.js'

const newId = () => new ObjectId()

/** Where a switch's energy comes from: the best that its device offers. */
const energySources = ['counter', 'power', 'rated'] as const
export type EnergySource = (typeof energySources)[number]

/** What a device does with energy. */
const energyRoles = ['consumption', 'production', 'storage'] as const
export type EnergyRole = (typeof energyRoles)[number]

/** What of a device's metered switches goes to the ledger. */
const ledgerRecordings = ['readings', 'quarter_hours'] as const
export type LedgerRecording = (typeof ledgerRecordings)[number]

const switchFields = z.strictObject({
  _id: objectId().default(newId),
  name: z.string().min(1).max(200),
  /** The pin of the relay, or the number of the channel. */
  gpio: z.int().min(0).max(255),
  type: z.string().min(1).max(50).optional(),
  /** W; what the load takes while it is on, as far as nothing measures it. */
  powerRating: quantity(0, 1_000_000),
  energySource: z.enum(energySources).default('rated'),
  /** Wh; the smallest step of the energy counter. */
  counterQuantumWh: quantity(0, 1_000_000).optional(),
  /** Wh; the value at which the energy counter starts again from zero. */
  counterWidthWh: quantity(0, 1e15).optional(),
  /** W; more than this is not plausible. 25 kW if left out. */
  maximumPower: quantity(1, 1e9).optional(),
  /** What else is plausible of a measurement, as far as it is known. */
  limits: z
    .strictObject({
      /** V */
      minimumVoltage: quantity(0, 1e6).optional(),
      /** V */
      maximumVoltage: quantity(0, 1e6).optional(),
      /** A */
      maximumCurrent: quantity(0, 1e6).optional(),
      /** Hz */
      minimumFrequency: quantity(0, 1e6).optional(),
      /** Hz */
      maximumFrequency: quantity(0, 1e6).optional(),
    })
    .optional(),
  manualGpio: z.int().min(0).max(255).optional(),
  manualMode: z.enum(['momentary', 'maintained']).optional(),
  /** What the switch was last known to be; kept by ingestion. */
  state: z.boolean().optional(),
  stateAt: z.date().optional(),
})

/** A device with its switches, as an ESP32 with a row of relays is. */
export const deviceEntity = defineEntity({
  name: 'device',
  collection: 'devices',
  fields: {
    name: z.string().min(1).max(200),
    macAddress: macAddress(),
    classroom: objectId(),
    /** The user that it belongs to. */
    owner: objectId().optional(),
    /** A storage consumes while its power is positive, and produces while it is negative. */
    energyRole: z.enum(energyRoles).default('consumption'),
    /** Every reading, as where it is left out, or a register for each quarter hour; switch events always. */
    ledgerRecording: z.enum(ledgerRecordings).optional(),
    switches: z.array(switchFields).max(64).default([]),
    /** ms; how often the device promises to report. Without it five minutes of silence are a gap. */
    reportingPeriodMs: z.int().min(100).max(86_400_000).optional(),
    firmwareVersion: z.string().max(100).optional(),
    /** Kept by ingestion, like all that follows. */
    status: z.enum(['online', 'offline']).optional(),
    /** When the status was told: by the device, or by the broker with its last will. */
    statusAt: z.date().optional(),
    /** The last message of the device of any kind, also one that anybody could have sent. */
    lastSeenAt: z.date().optional(),
    /** The last message that proved to be the device's: what energy is reckoned by. */
    lastSignOfLifeAt: z.date().optional(),
    boot: z.strictObject({ id: z.string().min(1).max(64), startedAt: z.date() }).optional(),
  },
  secrets: { secret: z.string().min(16).max(128).optional() },
  rules: [
    {
      path: 'switches',
      message: 'two switches have the same gpio',
      check: ({ switches }) => {
        const pins = (switches as { gpio: number }[]).map(({ gpio }) => gpio)
        return new Set(pins).size === pins.length
      },
      expression: { $eq: [{ $size: { $setUnion: ['$switches.gpio', []] } }, { $size: '$switches' }] },
    },
    {
      path: 'switches',
      message: 'two switches have the same _id',
      check: ({ switches }) => {
        const ids = (switches as { _id: ObjectId }[]).map(({ _id }) => _id.toHexString())
        return new Set(ids).size === ids.length
      },
      expression: { $eq: [{ $size: { $setUnion: ['$switches._id', []] } }, { $size: '$switches' }] },
    },
  ],
  softDelete: true,
  indexes: [
    {
      key: { macAddress: 1, deletedAt: 1 },
      unique: true,
      serves: 'the device that a message names; a deleted one frees its address',
    },
    {
      key: { 'switches._id': 1, deletedAt: 1 },
      unique: true,
      // An empty list would be in the index too, once for all devices.
      partialFilterExpression: { 'switches._id': { $exists: true } },
      serves: 'the one device of a switch, whose chain in the ledger it is',
    },
    { key: { classroom: 1, name: 1, _id: 1 }, serves: 'the devices of a classroom by name' },
    { key: { owner: 1, name: 1, _id: 1 }, serves: 'the devices of a user by name' },
    { key: { lastSeenAt: 1, _id: 1 }, serves: 'devices that have not been heard of' },
  ],
})

export type Device = Stored<typeof deviceEntity>
export type DeviceInput = Input<typeof deviceEntity>
/** The type of {@link deviceEntity}, in few words. */
export type DeviceEntity = Entity<Device, DeviceInput>
export type DeviceSwitch = Device['switches'][number]
