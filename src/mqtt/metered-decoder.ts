import { isPlainObject } from '../core/is-record.js'
import type { Decoder, ReportedDevice, Unusable } from '../ingestion/report.js'
import { requireDevice, requireObject, requireTopic } from './decoder-options.js'
import { readJsonObject } from './json-payload.js'

/** The load that a topic's messages are about. The broker's access control vouches that nobody else publishes there. */
export interface MeteredTopic {
  readonly device: ReportedDevice
  readonly gpio: number
  /** The load's key in `switch_state`; not needed if there is only one. */
  readonly switchId?: string
}

/**
 * Understands the metered build of AutoVolt's firmware, whose messages carry neither MAC address nor secret. It takes only
 * the topics that it is given.
 * @throws DatabaseError `CONFIGURATION` for a topic with wildcards, or a device by what is neither an address nor an id.
 */
export function meteredDecoder(topics: Readonly<Record<string, MeteredTopic>>): Decoder {
  requireObject('metered', topics)
  for (const [topic, mapped] of Object.entries(topics)) {
    requireTopic('metered', topic)
    requireObject('metered', mapped)
    const { device } = mapped
    requireDevice('metered', device)
  }
  return {
    name: 'metered',
    order: 'arrival',
    filters: Object.keys(topics),
    decode(topic, payload) {
      const target = Object.hasOwn(topics, topic) ? topics[topic] : undefined
      if (target === undefined) return { reason: 'unknown_topic', detail: 'the topic is not mapped to a device' }
      const json = readJsonObject(payload)
      if (!('object' in json)) return json
      const { power_w, energy_wh_total, switch_state, ...others } = json.object
      const base = {
        device: target.device,
        credential: { kind: 'broker' },
        time: others.timestamp,
        sequence: others.sequence_no,
        firmwareVersion: others.firmware_ver,
        vitals: vitalsOf(others),
      } as const
      if (isAbsent(power_w) && isAbsent(energy_wh_total)) {
        // A device that measures nothing just now still says who it is.
        if (isAbsent(others.esp32_name) && isAbsent(others.device_id)) return noMeteredMessage
        return { reports: [{ kind: 'heartbeat', ...base }] }
      }
      const on = stateOf(switch_state, target.switchId)
      return {
        reports: [{ kind: 'reading', ...base, gpio: target.gpio, on, powerW: power_w, energyWh: energy_wh_total }],
      }
    },
  }
}

const noMeteredMessage: Unusable = {
  reason: 'invalid',
  detail: 'missing: power_w, energy_wh_total, esp32_name, device_id',
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function vitalsOf(message: Record<string, unknown>) {
  return {
    uptimeSeconds: message.uptime_seconds,
    signalStrength: message.signal_strength ?? message.wifi_rssi,
    freeHeap: message.free_heap,
    status: message.status,
  }
}

/** The load's state, as far as the message has one; what is no list of states is none that can be used. */
function stateOf(states: unknown, switchId: string | undefined): unknown {
  if (!isPlainObject(states)) return states
  if (switchId !== undefined) {
    const known = inOneSpelling(switchId)
    return Object.entries(states).find(([id]) => inOneSpelling(id) === known)?.[1]
  }
  const values = Object.values(states)
  return values.length === 1 ? values[0] : undefined
}

/** An id in hexadecimal in lower case; any other text as it is. */
function inOneSpelling(id: string): string {
  return /^[0-9a-f]+$/i.test(id) ? id.toLowerCase() : id
}
