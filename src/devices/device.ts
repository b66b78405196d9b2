import { z } from 'zod'
import { defineEntity, type Entity, type Input, type Stored } from '../core/entity.js'
import { objectId, quantity, trimmedText } from '../core/fields.js'
import {
  alertLimit,
  capability,
  deviceConfig,
  deviceHardware,
  deviceLocation,
  ipAddress,
  lastTelemetry,
  namedValues,
  openWord,
} from './device-fields.js'
import { deviceIndexes } from './device-indexes.js'
import { devicePersonal } from './device-personal.js'
import { deviceRules } from './device-rules.js'
import { unicastMacAddress } from './mac-address.js'
import { switchFields } from './switch-fields.js'

export type { Capability } from './device-fields.js'
export type { EnergySource } from './switch-fields.js'

/** What shows that a message is its device's, the strongest first. */
const authentications = ['signature', 'secret', 'broker'] as const
export type Authentication = (typeof authentications)[number]

/** What a device does with energy. */
const energyRoles = ['consumption', 'production', 'storage'] as const
export type EnergyRole = (typeof energyRoles)[number]

/** One set of words is stored; those of an origin system are taken as well. */
const spelledRoles: Readonly<Record<string, EnergyRole>> = { consumer: 'consumption', producer: 'production' }
export type SpelledEnergyRole = EnergyRole | 'consumer' | 'producer'
export const energyRole = (): z.ZodType<EnergyRole, SpelledEnergyRole> =>
  z.preprocess(
    (value) => (typeof value === 'string' && Object.hasOwn(spelledRoles, value) ? spelledRoles[value] : value),
    z.enum(energyRoles),
  ) as z.ZodType<EnergyRole, SpelledEnergyRole>

/** How a device is: `online` and `offline` are kept by ingestion; the others are set, and stay until they are taken back. */
export const deviceStatuses = ['offline', 'online', 'maintenance', 'error'] as const
export type DeviceStatus = (typeof deviceStatuses)[number]

/** What of a device's metered switches goes to the ledger. */
const ledgerRecordings = ['readings', 'quarter_hours'] as const
export type LedgerRecording = (typeof ledgerRecordings)[number]

/** A message by the device's own number of it, and when it was sent. */
const placedMessage = z.strictObject({
  /** The number of the message. */
  sequence: z.int().min(0),
  /** When it was sent, by the device. */
  at: z.date(),
})

/** How many earlier assignments a device remembers. */
export const rememberedAssignments = 64

/** A device with its switches, as an ESP32 with a row of relays is. */
export const deviceEntity = defineEntity({
  name: 'device',
  collection: 'devices',
  personal: devicePersonal,
  fields: {
    /** What people call it, without blanks at its ends. */
    name: trimmedText(1, 200),
    /** Which fields a device needs besides is asked by its type. */
    type: openWord().default('esp32'),
    /** What it is spoken to by: `mqtt`, `tuya`, `modbus`, `http`, `lorawan`, or a host's own. */
    protocol: openWord().default('mqtt'),
    /** Unique among devices that are not deleted; any spelling is taken, one is stored. */
    macAddress: unicastMacAddress().optional(),
    /** What its vendor or an origin system calls it; unique among the devices of its owner. */
    externalId: z.string().min(1).max(200).optional(),
    /** Where its energy is accounted for. */
    classroom: objectId().optional(),
    /** The building that it is in. */
    building: trimmedText(1, 200).optional(),
    /** The storey; 0 is the ground floor. */
    floor: z.int().min(-20).max(200).optional(),
    /** Where it is, for people and on the earth. */
    location: deviceLocation().optional(),
    /** The user that it belongs to. */
    owner: objectId().optional(),
    /** Users that may be shown it besides, as the host sees fit. */
    assignedUsers: z.array(objectId()).max(1_000).default([]),
    /** Where and whose it was before: each with the instant from which on it was so no longer. */
    assignments: z
      .array(
        z.strictObject({
          /** Where it was; absent where that was nowhere. */
          classroom: objectId().optional(),
          /** Whose it was; absent where that was nobody. */
          owner: objectId().optional(),
          /** From then on it was so no longer. */
          until: z.date(),
        }),
      )
      .max(rememberedAssignments)
      .optional(),
    /** Who has made it. */
    manufacturer: trimmedText(1, 200).optional(),
    /** What its maker calls it. */
    model: trimmedText(1, 200).optional(),
    /** Whether it is in use at all: one that is `inactive` gets no commands. */
    service: z.enum(['active', 'inactive']).default('active'),
    /** What of it can be read and set, and what it can be commanded to do. */
    capabilities: z.array(capability()).max(64).default([]),
    /** What its data sheet says, by names of the host. */
    specifications: namedValues().optional(),
    /** How it is set, by names of the host. */
    configuration: namedValues().optional(),
    /** How it is reached, by names of the host; `version` 2 says that it speaks version 2. */
    communication: namedValues().optional(),
    /** From when on a host wants to know; the library does not look at them. */
    alertLimits: z.array(alertLimit()).max(64).optional(),
    /** What an ESP32 does by itself. */
    config: deviceConfig().optional(),
    /** The board that it is on. */
    hardware: deviceHardware().optional(),
    /** When it was looked after last. */
    lastMaintenanceAt: z.date().optional(),
    /** When it is to be looked after next. */
    nextMaintenanceAt: z.date().optional(),
    /** Its address in the network, of IPv4 or IPv6. */
    ipAddress: ipAddress().optional(),
    /** Percent. */
    batteryLevel: quantity(0, 100).optional(),
    /** A storage consumes while its power is positive, and produces while it is negative. `consumer` and `producer` are taken too. */
    energyRole: energyRole().default('consumption'),
    /** Every reading, as where it is left out, or a register for each quarter hour; switch events always. */
    ledgerRecording: z.enum(ledgerRecordings).optional(),
    /** Its relays and channels of meters; 64 at most. */
    switches: z.array(switchFields()).max(64).default([]),
    /** ms; how often the device promises to report. Without it five minutes of silence are a gap. */
    reportingPeriodMs: z.int().min(100).max(86_400_000).optional(),
    /**
     * The least that its messages have to show. Left out, the strongest that it can: without a secret the broker's word, with
     * one the secret, and from its first right signature on a signature.
     */
    authentication: z.enum(authentications).optional(),
    /** The version that it runs, as it says itself; kept by ingestion. */
    firmwareVersion: z.string().max(100).optional(),
    /** Kept by ingestion, like all that follows. */
    status: z.enum(deviceStatuses).default('offline'),
    /** When the status was reported: by the device, or by the broker with its last will. */
    statusAt: z.date().optional(),
    /** The last message of the device of any kind, also one that anybody could have sent. */
    lastSeenAt: z.date().optional(),
    /** The last message that proved to be the device's: what energy is computed by. */
    lastSignOfLifeAt: z.date().optional(),
    /** What it last said of itself. */
    telemetry: lastTelemetry().optional(),
    /** Whether a message of the device had a right signature. */
    hasSigned: z.boolean().optional(),
    /** Of a device with rated switches: the span of time up to then in which it was never silent, nor started again. */
    alive: z
      .strictObject({
        /** From then on. */
        since: z.date(),
        /** The run that it was in, where it names its runs. */
        boot: z.string().min(1).max(64).optional(),
        /** How often spans of the device have begun or were joined. */
        changes: z.int().min(1),
      })
      .optional(),
    /** Its present run since it was switched on, where it names that. */
    boot: z
      .strictObject({
        /** The name that it gives to the run. */
        id: z.string().min(1).max(64),
        /** When the run began. */
        startedAt: z.date(),
        /** ms since the start, of the last message that was placed by them. */
        runMs: z.number().min(0).max(1e15).optional(),
      })
      .optional(),
    /** Of a device that names its runs: the present one, and what of it was taken. */
    run: z
      .strictObject({
        /** The name of the run. */
        boot: z.string().min(1).max(64),
        /** The largest number of a run that the device has shown. */
        number: z.int().min(0).optional(),
        /** The largest numbers of messages that were taken. */
        sequences: z.array(z.int().min(0)).max(32),
        /** The latest time of a message that was taken: its own, or that of its arrival. */
        latestAt: z.date(),
        /** The largest number of a connection that the device has shown. */
        connection: z.int().min(0).optional(),
      })
      .optional(),
    /** Runs that others have followed, the latest last: what comes of them again shows nothing. */
    pastRuns: z.array(z.string().min(1).max(64)).max(64).optional(),
    /** Of a clock without a zone: messages that distinguish the first pass of a repeated hour from the second, of its last runs. */
    repeatedHour: z
      .array(
        z.strictObject({
          /** The run that it was in. */
          boot: z.string().min(1).max(64).optional(),
          /** The last message of the first pass. */
          first: placedMessage.optional(),
          /** The first message of the second pass. */
          second: placedMessage.optional(),
        }),
      )
      .max(4)
      .optional(),
  },
  secrets: { secret: z.string().min(16).max(128).optional(), wifiPassword: z.string().min(8).max(63).optional() },
  managed: [
    'firmwareVersion',
    'status',
    'statusAt',
    'lastSeenAt',
    'lastSignOfLifeAt',
    'hasSigned',
    'alive',
    'boot',
    'run',
    'pastRuns',
    'repeatedHour',
    'telemetry',
    'assignments',
    'switches._id',
    'switches.manualOverride',
    'switches.state',
    'switches.stateAt',
  ],
  // Whose account its energy is on, who sees it, and what its messages are believed by.
  privileged: ['owner', 'assignedUsers', 'secret', 'wifiPassword', 'authentication'],
  // The chain of the ledger hangs on it.
  immutable: ['switches._id'],
  rules: deviceRules,
  softDelete: true,
  indexes: deviceIndexes,
})

export type Device = Stored<typeof deviceEntity>
export type DeviceInput = Input<typeof deviceEntity>
/** The type of {@link deviceEntity}, in few words. */
export type DeviceEntity = Entity<Device, DeviceInput>
export type DeviceSwitch = Device['switches'][number]
