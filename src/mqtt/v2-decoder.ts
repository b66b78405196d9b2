import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import type { Credential, Decoder, Decoding, DeviceReport } from '../ingestion/report.js'
import { misuse, requirePrefix } from './decoder-options.js'
import { textualTime } from './device-time.js'
import { invalid, isNumberOrAbsent, readJsonObject } from './json-payload.js'

export interface V2Options {
  /** The first level of the topics, or several. @default 'autovolt' */
  readonly prefix?: string
  /**
   * What shows that a message is its device's: the broker's access control, which lets each device publish only below its
   * own MAC address, or an HMAC-SHA256 with the device's secret. @default 'broker'
   */
  readonly authentication?: 'broker' | 'hmac'
}

const envelope = {
  id: z.string().min(1).max(64),
  boot: z.string().min(1).max(64),
  seq: z.int().min(0),
  time: z.union([z.number(), z.string().max(40)]).optional(),
  firmware: z.string().max(100).optional(),
}
const gpio = z.int().min(0).max(255)

const switchMessage = z.object({
  ...envelope,
  gpio,
  state: z.boolean(),
  cause: z.enum(['backend', 'manual', 'schedule', 'restore', 'unknown']).default('unknown'),
  userId: z.string().max(128).optional(),
  userName: z.string().max(256).optional(),
})
const powerMessage = z.object({
  ...envelope,
  gpio,
  state: z.boolean().optional(),
  powerW: z.unknown().optional(),
  energyWh: z.unknown().optional(),
  voltageV: z.number().min(-1e6).max(1e6).optional(),
  currentA: z.number().min(-1e6).max(1e6).optional(),
  powerFactor: z.number().min(-1).max(1).optional(),
  frequencyHz: z.number().min(0).max(1e6).optional(),
  temperatureC: z.number().min(-273.15).max(1e4).optional(),
})
const heartbeatMessage = z.object({
  ...envelope,
  uptimeMs: z.number().min(0).max(1e15).optional(),
  freeHeapBytes: z.number().min(0).max(1e12).optional(),
  rssiDbm: z.number().min(-200).max(100).optional(),
})
const statusMessage = z.object({ status: z.enum(['online', 'offline']), boot: envelope.boot.optional() })

/** The signature is the last member, so that what is signed is a prefix of the payload: `,"hmac":"<64 digits>"}`. */
const signatureTail = /,"hmac":"([0-9a-fA-F]{64})"\}$/
const signatureTailBytes = 75

/**
 * Understands version 2 of AutoVolt's protocol, `{prefix}/v2/{mac}/...`; docs/mqtt.md describes it.
 * @throws DatabaseError `CONFIGURATION` for options that cannot be used.
 */
export function v2Decoder({ prefix = 'autovolt', authentication = 'broker' }: V2Options = {}): Decoder {
  requirePrefix('v2', prefix)
  // A slip of the pen must not leave messages unchecked.
  if (authentication !== 'broker' && authentication !== 'hmac')
    throw misuse('v2', "`authentication` is 'broker' or 'hmac'")
  const root = `${prefix}/v2/`
  const isSigned = authentication === 'hmac'
  return {
    name: 'v2',
    order: 'device',
    filters: [`${root}+/switch`, `${root}+/power`, `${root}+/heartbeat`, `${root}+/status`],
    decode(topic, payload) {
      const [macAddress = '', kind = ''] = topic.slice(root.length).split('/')
      const json = readJsonObject(payload)
      if (!('object' in json)) return { ...json, macAddress }
      const credential = isSigned ? signatureOn(topic, payload) : vouched
      const decoding = decodeKind(kind, json.object, { device: { macAddress }, credential })
      return 'reports' in decoding ? decoding : { ...decoding, macAddress }
    },
  }
}

const vouched: Credential = { kind: 'broker' }

type From = Pick<DeviceReport, 'device' | 'credential'>

function decodeKind(kind: string, object: Record<string, unknown>, from: From): Decoding {
  switch (kind) {
    case 'power':
      return decodePower(object, from)
    case 'switch':
      return decodeSwitch(object, from)
    case 'heartbeat': {
      const result = compiled(heartbeatMessage).safeParse(object)
      if (!result.success) return invalid(object, result.error)
      const { data } = result
      return { reports: [{ kind: 'heartbeat', ...from, ...envelopeOf(data), vitals: vitalsOf(data) }] }
    }
    case 'status': {
      const result = compiled(statusMessage).safeParse(object)
      if (!result.success) return invalid(object, result.error)
      return { reports: [{ kind: 'status', ...from, online: result.data.status === 'online' }] }
    }
    default:
      return { reason: 'unknown_topic', detail: 'the topic is not one of version 2' }
  }
}

function decodePower(object: Record<string, unknown>, from: From): Decoding {
  const result = compiled(powerMessage).safeParse(object)
  if (!result.success) return invalid(object, result.error)
  const { data } = result
  const { powerW, energyWh } = data
  if (!isNumberOrAbsent(powerW) || !isNumberOrAbsent(energyWh)) {
    return { reason: 'not_a_reading', detail: 'powerW or energyWh is not a number' }
  }
  return {
    reports: [
      {
        kind: 'reading',
        ...from,
        ...envelopeOf(data),
        gpio: data.gpio,
        on: data.state,
        powerW,
        energyWh,
        voltage: data.voltageV,
        current: data.currentA,
        powerFactor: data.powerFactor,
        frequency: data.frequencyHz,
        temperature: data.temperatureC,
      },
    ],
  }
}

function decodeSwitch(object: Record<string, unknown>, from: From): Decoding {
  const result = compiled(switchMessage).safeParse(object)
  if (!result.success) return invalid(object, result.error)
  const { gpio, state, cause, userId, userName } = result.data
  return {
    reports: [{ kind: 'switch', ...from, ...envelopeOf(result.data), gpio, on: state, cause, userId, userName }],
  }
}

function vitalsOf({ uptimeMs, freeHeapBytes, rssiDbm }: z.output<typeof heartbeatMessage>) {
  const uptimeSeconds = uptimeMs === undefined ? undefined : uptimeMs / 1000
  return { uptimeSeconds, freeHeap: freeHeapBytes, signalStrength: rssiDbm }
}

function envelopeOf({ id, boot, seq, time, firmware }: z.output<typeof heartbeatMessage>) {
  return {
    messageId: id,
    boot,
    sequence: seq,
    time:
      typeof time === 'number'
        ? ({ kind: 'instant', ms: time } as const)
        : time === undefined
          ? undefined
          : textualTime(time),
    firmwareVersion: firmware,
  }
}

/** What is signed: the topic, a line feed, and the payload up to the signature. */
function signatureOn(topic: string, payload: Uint8Array): Credential {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const signature = signatureTail.exec(bytes.subarray(-signatureTailBytes).toString('latin1'))?.[1]
  if (signature === undefined) return { kind: 'none' }
  return {
    kind: 'signature',
    signed: Buffer.concat([Buffer.from(`${topic}\n`), bytes.subarray(0, -signatureTailBytes)]),
    signature,
  }
}
