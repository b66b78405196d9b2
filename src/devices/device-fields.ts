import { isIP } from 'node:net'
import { z } from 'zod'
import { anyValue, quantity, trimmedText } from '../core/fields.js'
import { geoPoint } from '../core/geo-point.js'
import { defaultBoard } from './pins.js'

/** A word of a list that hosts may extend, such as `smart_plug`. */
export const openWord = () =>
  z.string().regex(/^[a-z][a-z0-9_]{0,49}$/, { error: 'expected a word such as smart_plug' })

const pin = () => z.int().min(0).max(255)

/** Settings by name, of which the library knows nothing. */
export const namedValues = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/** An address of IPv4 or IPv6; in neither may a number be too large. */
export const ipAddress = () =>
  z
    .string()
    .max(45)
    // The server knows the characters, the library the address.
    .regex(/^[0-9A-Fa-f:.]+$/)
    .refine((text) => isIP(text) !== 0, { error: 'expected an IPv4 or IPv6 address' })

/** What a value of a device is: its type, its unit, its range, and whether it can be read and set. */
export const capability = () =>
  z.strictObject({
    /** A word such as `power`, unique in its device. */
    name: openWord(),
    /** `action` has no value: it is done by a command of its name. */
    type: z.enum(['boolean', 'number', 'integer', 'text', 'action']),
    /** Such as `°C`. */
    unit: z.string().min(1).max(20).optional(),
    /** The values that it may be set to, both ends included. */
    range: z.strictObject({ minimum: z.number().optional(), maximum: z.number().optional() }).optional(),
    /** Whether the device reports it. */
    readable: z.boolean().default(true),
    /** Whether commands may set it. */
    writable: z.boolean().default(false),
  })

export type Capability = z.output<ReturnType<typeof capability>>

/** Where a device is, for people and on the earth. */
export const deviceLocation = () =>
  z.strictObject({
    /** In words, such as `the south roof`. */
    text: trimmedText(1, 500).optional(),
    /** GeoJSON, longitude first. */
    point: geoPoint().optional(),
  })

/** From when on a host wants to know. */
export const alertLimit = () =>
  z.strictObject({
    /** What is looked at, such as `temperature`. */
    quantity: openWord(),
    /** Less than this is too little. */
    minimum: z.number().optional(),
    /** More than this is too much. */
    maximum: z.number().optional(),
  })

/** What an ESP32 is told to do by itself. The password of the Wi-Fi is a secret of the device, `wifiPassword`. */
export const deviceConfig = () =>
  z.strictObject({
    /** Whether it has a motion sensor. */
    motionSensorEnabled: z.boolean().default(true),
    /** The pin of the motion sensor. */
    motionSensorPin: pin().default(34),
    /** Whether it has a microwave sensor. */
    microwaveSensorEnabled: z.boolean().default(false),
    /** The pin of the microwave sensor. */
    microwaveSensorPin: pin().default(35),
    /** ms without motion until it switches off; a minute at least. */
    autoOffTimeoutMs: z.int().min(60_000).max(86_400_000).default(3_600_000),
    /** Whether it reports energy. */
    energyTrackingEnabled: z.boolean().default(true),
    /** ms between heartbeats; 5,000 at least. */
    heartbeatIntervalMs: z.int().min(5_000).max(86_400_000).default(30_000),
    /** A topic of its own, where it has one. */
    mqttTopic: z.string().min(1).max(500).optional(),
    /** The network that it is in; its password is a secret of the device. */
    wifi: z
      .strictObject({
        /** The name of the network. */
        ssid: z.string().min(1).max(32).optional(),
        /** Its address, where it does not ask for one. */
        staticIp: ipAddress().optional(),
        /** The way out of the network. */
        gateway: ipAddress().optional(),
        /** The mask of the network. */
        subnet: ipAddress().optional(),
      })
      .optional(),
  })

export const deviceHardware = () =>
  z.strictObject({
    /** Its pins are checked by the board, where it is a known one. */
    boardType: z.string().min(1).max(100).default(defaultBoard),
    /** Bytes of flash. */
    flashSizeBytes: z.int().min(0).max(1e12).default(4_194_304),
    /** Bytes of external RAM; 0 where there is none. */
    psramSizeBytes: z.int().min(0).max(1e12).default(0),
    /** MHz. */
    cpuFrequencyMhz: z.int().min(0).max(10_000).default(240),
  })

/** What a device last said of itself. */
export const lastTelemetry = () =>
  z.strictObject({
    /** When it said so. */
    at: z.date(),
    /** s since it was switched on. */
    uptimeSeconds: quantity(0, 1e12).optional(),
    /** Bytes of memory that are free. */
    freeHeapBytes: quantity(0, 1e12).optional(),
    /** dBm; closer to 0 is better. */
    signalStrengthDbm: quantity(-200, 100).optional(),
    /** °C, of its chip or around it. */
    temperatureC: quantity(-273.15, 1e4).optional(),
    /** Percent of relative humidity. */
    humidityPercent: quantity(0, 100).optional(),
  })

export type LastTelemetry = z.output<ReturnType<typeof lastTelemetry>>
