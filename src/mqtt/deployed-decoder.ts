import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import { isRecord } from '../core/is-record.js'
import { isRelay } from '../ingestion/admitted-report.js'
import type { Credential, Decoder, Decoding, GivenReport } from '../ingestion/report.js'
import { withoutTerminator } from '../ingestion/terminator.js'
import { matchesFilter } from '../ingestion/topic.js'
import { misuse, requireObject, requirePrefix, requireStatusTopic } from './decoder-options.js'
import { invalid, readJsonObject } from './json-payload.js'

/** Deployed options: how AutoVolt's deployed ESP32s are reached. */
export interface DeployedOptions {
  /** The first level of their topics, or several. @default 'esp32' */
  readonly prefix?: string
  /**
   * The topics of their retained `online` and `offline`. A `+` that stands for the device's MAC address is written `{mac}`;
   * a topic without it is one for all devices: its messages are accepted, and have no effect.
   */
  readonly statusTopics?: readonly string[]
}

const gpio = z.int().min(0).max(255)
const longestSecret = 256
const who = { mac: z.string().min(12).max(17), secret: z.unknown().optional() }
const uptime = z
  .number()
  .min(0)
  .max(2 ** 32)

const snapshot = z.object({ ...who, switches: z.array(z.unknown()).max(64) })
const switchEvent = z.object({
  ...who,
  type: z.literal('switch_event'),
  gpio,
  state: z.boolean(),
  source: z.unknown().optional(),
  timestamp: uptime,
  userId: z.unknown().optional(),
  userName: z.unknown().optional(),
})
const manualSwitch = z.object({
  ...who,
  type: z.literal('manual_switch'),
  gpio,
  state: z.boolean(),
  timestamp: uptime,
})
const heartbeat = z.object({ mac: who.mac, status: z.literal('heartbeat') })

/**
 * Understands AutoVolt's firmware as it is deployed ("WARP stable"): snapshots, switch events, heartbeats, status.
 * @throws DatabaseError `CONFIGURATION` for options that cannot be used.
 */
export function deployedDecoder(options: DeployedOptions = {}): Decoder {
  requireObject('deployed', options)
  const { prefix = 'esp32', statusTopics: templates = [] } = options
  if (!Array.isArray(templates)) throw misuse('deployed', '`statusTopics` is a list of topics')
  requirePrefix('deployed', prefix)
  for (const template of templates) requireStatusTopic('deployed', template)
  const stateTopic = `${prefix}/state`
  const telemetryTopic = `${prefix}/telemetry`
  const statusTopics = templates.map((template) => ({
    template,
    filter: template.replace('{mac}', '+'),
  }))
  return {
    name: 'deployed',
    order: 'arrival',
    filters: [stateTopic, telemetryTopic, ...statusTopics.map(({ filter }) => filter)],
    decode(topic, payload) {
      const status = statusTopics.find(({ filter }) => matchesFilter(filter, topic))
      if (status !== undefined) return decodeStatus(payload, macFromTopic(status.template, topic))
      const json = readJsonObject(payload)
      if (!('object' in json)) return json
      return topic === stateTopic ? decodeSnapshot(json.object) : decodeTelemetry(json.object)
    },
  }
}

function decodeSnapshot(object: Record<string, unknown>): Decoding {
  const result = compiled(snapshot).safeParse(object)
  if (!result.success) return invalid(object, result.error)
  const { mac, secret, switches } = result.data
  const relays = switches.map((one) =>
    isRecord(one) ? { gpio: one.gpio, on: one.state, manualOverride: one.manual_override } : one,
  )
  if (relays.length > 0 && !relays.some(isRelay))
    return { reason: 'invalid', detail: 'missing or not as expected: switches', macAddress: mac }
  return only({ kind: 'snapshot', ...from(mac, secret), switches: relays })
}

function decodeTelemetry(object: Record<string, unknown>): Decoding {
  if (object.status === 'heartbeat') {
    const result = compiled(heartbeat).safeParse(object)
    if (!result.success) return invalid(object, result.error)
    return only({ kind: 'heartbeat', device: { macAddress: result.data.mac }, credential: { kind: 'none' } })
  }
  if (object.type === 'manual_switch') {
    const result = compiled(manualSwitch).safeParse(object)
    if (!result.success) return invalid(object, result.error)
    const { mac, secret, timestamp, gpio, state, type } = result.data
    return only({
      kind: 'switch',
      ...from(mac, secret),
      time: { kind: 'uptime', ms: timestamp },
      messageId: type,
      gpio,
      on: state,
      cause: 'manual',
    })
  }
  const result = compiled(switchEvent).safeParse(object)
  if (!result.success) return invalid(object, result.error)
  const { mac, secret, timestamp, gpio, state, type, source, userId, userName } = result.data
  return only({
    kind: 'switch',
    ...from(mac, secret),
    time: { kind: 'uptime', ms: timestamp },
    messageId: type,
    gpio,
    on: state,
    cause: source,
    userId,
    userName,
  })
}

function decodeStatus(payload: Uint8Array, macAddress: string | undefined): Decoding {
  const text = withoutTerminator(payload).subarray(0, 16).toString('utf8')
  if (text !== 'online' && text !== 'offline')
    return { reason: 'invalid', detail: 'expected online or offline', macAddress }
  if (macAddress === undefined) return { reports: [] }
  return only({ kind: 'status', device: { macAddress }, credential: { kind: 'broker' }, online: text === 'online' })
}

/** A secret that is missing, or is none, proves as little as a wrong one. */
function from(macAddress: string, secret: unknown) {
  const isSecret = typeof secret === 'string' && secret !== '' && secret.length <= longestSecret
  const credential: Credential = isSecret ? { kind: 'secret', secret } : { kind: 'none' }
  return { device: { macAddress }, credential }
}

function only(report: GivenReport): Decoding {
  return { reports: [report] }
}

function macFromTopic(template: string, topic: string): string | undefined {
  const at = template.split('/').indexOf('{mac}')
  return at < 0 ? undefined : topic.split('/')[at]
}
