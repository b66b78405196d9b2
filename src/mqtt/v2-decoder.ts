import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import type { Credential, Decoder, Decoding, DeviceReport, Unusable } from '../ingestion/report.js'
import { withoutTerminator } from '../ingestion/terminator.js'
import { requireObject, requirePrefix } from './decoder-options.js'
import { invalid, readJsonObject } from './json-payload.js'

export interface V2Options {
  /** The first level of the topics, or several. @default 'autovolt' */
  readonly prefix?: string
}

// Null is "not reported", as everywhere; what is beside the point of a message is checked where reports enter.
const envelope = {
  id: z.string().min(1).max(64),
  boot: z.string().min(1).max(64),
  seq: z.int().min(0),
  run: z.unknown().optional(),
  time: z.unknown().optional(),
  firmware: z.unknown().optional(),
}
const gpio = z.int().min(0).max(255)

const switchMessage = z.object({
  ...envelope,
  gpio,
  state: z.boolean(),
  cause: z.unknown().optional(),
  userId: z.unknown().optional(),
  userName: z.unknown().optional(),
  command: z.unknown().optional(),
})
const refusedMessage = z.object({
  ...envelope,
  command: z.string().min(1).max(64),
  reason: z.unknown().optional(),
})
const firmwareFailedMessage = z.object({
  ...envelope,
  rollout: z.string().regex(/^[0-9a-f]{24}$/),
  reason: z.unknown().optional(),
})
const powerMessage = z.object({
  ...envelope,
  gpio,
  state: z.unknown().optional(),
  powerW: z.unknown().optional(),
  energyWh: z.unknown().optional(),
  voltageV: z.unknown().optional(),
  currentA: z.unknown().optional(),
  powerFactor: z.unknown().optional(),
  frequencyHz: z.unknown().optional(),
  temperatureC: z.unknown().optional(),
})
const heartbeatMessage = z.object({
  ...envelope,
  uptimeMs: z.unknown().optional(),
  freeHeapBytes: z.unknown().optional(),
  rssiDbm: z.unknown().optional(),
  temperatureC: z.unknown().optional(),
  humidityPercent: z.unknown().optional(),
})
const statusMessage = z.object({
  status: z.enum(['online', 'offline']),
  boot: envelope.boot.nullish(),
  seq: z.unknown().optional(),
  run: z.unknown().optional(),
  time: z.unknown().optional(),
  connection: z.unknown().optional(),
})

const kinds = ['switch', 'refused', 'firmware_failed', 'power', 'heartbeat', 'status']

/** The signature is the last member, so that what is signed is a prefix of the payload: `,"hmac":"<64 digits>"}`. */
const signatureTail = /,"hmac":"([0-9a-fA-F]{64})"\}$/
const signatureTailBytes = 75

/**
 * Understands version 2 of AutoVolt's protocol, `{prefix}/v2/{mac}/...`; docs/mqtt.md describes it.
 * @throws DatabaseError `CONFIGURATION` for options that cannot be used.
 */
export function v2Decoder(options: V2Options = {}): Decoder {
  requireObject('v2', options)
  const { prefix = 'autovolt' } = options
  requirePrefix('v2', prefix)
  const root = `${prefix}/v2/`
  return {
    name: 'v2',
    order: 'device',
    filters: kinds.map((kind) => `${root}+/${kind}`),
    decode(topic, payload) {
      const [macAddress = '', kind = ''] = topic.slice(root.length).split('/')
      // The broker's access control is about one spelling of the address: another one would get around it.
      if (!/^[0-9a-f]{12}$/.test(macAddress)) return { ...misspelled, macAddress }
      const json = readJsonObject(payload)
      if (!('object' in json)) return { ...json, macAddress }
      const credential = signatureOn(topic, payload)
      const decoding = decodeKind(kind, json.object, { device: { macAddress }, credential })
      return 'reports' in decoding ? decoding : { ...decoding, macAddress }
    },
  }
}

const misspelled: Unusable = {
  reason: 'unknown_topic',
  detail: 'the address in the topic is not twelve lower-case hexadecimal digits',
}

/** The broker's access control lets each device publish below its own MAC address only. */
const vouched: Credential = { kind: 'broker' }

type From = Pick<DeviceReport, 'device' | 'credential'>

function decodeKind(kind: string, object: Record<string, unknown>, from: From): Decoding {
  switch (kind) {
    case 'power':
      return decodePower(object, from)
    case 'switch':
      return decodeSwitch(object, from)
    case 'refused': {
      const result = compiled(refusedMessage).safeParse(object)
      if (!result.success) return invalid(object, result.error)
      const { command, reason: detail } = result.data
      return { reports: [{ kind: 'refusal', ...from, ...envelopeOf(result.data), command, detail }] }
    }
    case 'firmware_failed': {
      const result = compiled(firmwareFailedMessage).safeParse(object)
      if (!result.success) return invalid(object, result.error)
      const { rollout, reason: detail } = result.data
      return { reports: [{ kind: 'install_failure', ...from, ...envelopeOf(result.data), rollout, detail }] }
    }
    case 'heartbeat': {
      const result = compiled(heartbeatMessage).safeParse(object)
      if (!result.success) return invalid(object, result.error)
      const { data } = result
      return { reports: [{ kind: 'heartbeat', ...from, ...envelopeOf(data), vitals: vitalsOf(data) }] }
    }
    case 'status': {
      const result = compiled(statusMessage).safeParse(object)
      if (!result.success) return invalid(object, result.error)
      const { status, boot, seq: sequence, run, time, connection } = result.data
      const more = { boot, sequence, run, time, connection }
      return { reports: [{ kind: 'status', ...from, online: status === 'online', ...more }] }
    }
    default:
      return { reason: 'unknown_topic', detail: 'the topic is not one of version 2' }
  }
}

function decodePower(object: Record<string, unknown>, from: From): Decoding {
  const result = compiled(powerMessage).safeParse(object)
  if (!result.success) return invalid(object, result.error)
  const { data } = result
  return {
    reports: [
      {
        kind: 'reading',
        ...from,
        ...envelopeOf(data),
        gpio: data.gpio,
        on: data.state,
        powerW: data.powerW,
        energyWh: data.energyWh,
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
  const { gpio, state, cause, userId, userName, command } = result.data
  return {
    reports: [
      { kind: 'switch', ...from, ...envelopeOf(result.data), gpio, on: state, cause, userId, userName, command },
    ],
  }
}

function vitalsOf(message: z.output<typeof heartbeatMessage>) {
  const { uptimeMs, freeHeapBytes, rssiDbm, temperatureC, humidityPercent } = message
  const uptimeSeconds = typeof uptimeMs === 'number' ? uptimeMs / 1000 : uptimeMs
  return {
    uptimeSeconds,
    freeHeap: freeHeapBytes,
    signalStrength: rssiDbm,
    temperature: temperatureC,
    humidity: humidityPercent,
  }
}

function envelopeOf({ id, boot, seq, run, time, firmware }: z.output<typeof heartbeatMessage>) {
  return {
    messageId: id,
    boot,
    sequence: seq,
    run,
    time,
    firmwareVersion: firmware,
  }
}

/** What is signed: the topic, a line feed, and the payload up to the signature. A message without one has the broker's word. */
function signatureOn(topic: string, payload: Uint8Array): Credential {
  const bytes = withoutTerminator(payload)
  const signature = signatureTail.exec(bytes.subarray(-signatureTailBytes).toString('latin1'))?.[1]
  if (signature === undefined) return vouched
  return {
    kind: 'signature',
    signed: Buffer.concat([Buffer.from(`${topic}\n`), bytes.subarray(0, -signatureTailBytes)]),
    signature,
  }
}
