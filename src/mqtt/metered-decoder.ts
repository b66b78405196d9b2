import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import type { Decoder, DeviceTime, ReportedDevice, Vitals } from '../ingestion/report.js'
import { requireTopic } from './decoder-options.js'
import { textualTime } from './device-time.js'
import { invalid, isNumberOrAbsent, readJsonObject } from './json-payload.js'

/** The load that a topic's messages are about. The broker's access control vouches that nobody else publishes there. */
export interface MeteredTopic {
  readonly device: ReportedDevice
  readonly gpio: number
  /** The load's key in `switch_state`; not needed if there is only one. */
  readonly switchId?: string
}

const text = z.string().max(200)
const message = z.object({
  timestamp: z.union([z.number(), text]).nullish(),
  power_w: z.unknown().optional(),
  energy_wh_total: z.unknown().optional(),
  switch_state: z.record(text, z.boolean()).nullish(),
  firmware_ver: z.string().max(100).nullish(),
  sequence_no: z.int().min(0).nullish(),
  status: text.nullish(),
  uptime_seconds: z.unknown().optional(),
  signal_strength: z.unknown().optional(),
  wifi_rssi: z.unknown().optional(),
  free_heap: z.unknown().optional(),
  esp32_name: text,
  classroom: text,
  device_id: text,
})

/**
 * Understands the metered build of AutoVolt's firmware, whose messages carry neither MAC address nor secret. It takes only
 * the topics that it is given.
 * @throws DatabaseError `CONFIGURATION` for a topic with wildcards.
 */
export function meteredDecoder(topics: Readonly<Record<string, MeteredTopic>>): Decoder {
  for (const topic of Object.keys(topics)) requireTopic('metered', topic)
  return {
    name: 'metered',
    order: 'arrival',
    filters: Object.keys(topics),
    decode(topic, payload) {
      const target = Object.hasOwn(topics, topic) ? topics[topic] : undefined
      if (target === undefined) return { reason: 'unknown_topic', detail: 'the topic is not mapped to a device' }
      const json = readJsonObject(payload)
      if (!('object' in json)) return json
      const result = compiled(message).safeParse(json.object)
      if (!result.success) return invalid(json.object, result.error)
      const { power_w, energy_wh_total, switch_state, firmware_ver, sequence_no, timestamp } = result.data
      if (!isNumberOrAbsent(power_w) || !isNumberOrAbsent(energy_wh_total)) {
        return { reason: 'not_a_reading', detail: 'power_w or energy_wh_total is not a number' }
      }
      const base = {
        device: target.device,
        credential: { kind: 'broker' },
        time: timeOf(timestamp),
        sequence: sequence_no ?? undefined,
        firmwareVersion: firmware_ver ?? undefined,
        vitals: vitalsOf(result.data),
      } as const
      if (power_w === undefined && energy_wh_total === undefined) return { reports: [{ kind: 'heartbeat', ...base }] }
      const on = stateOf(switch_state ?? {}, target.switchId)
      return {
        reports: [{ kind: 'reading', ...base, gpio: target.gpio, on, powerW: power_w, energyWh: energy_wh_total }],
      }
    },
  }
}

/** What the device says of itself must not cost a reading: what is none is left out. */
function vitalsOf(data: z.output<typeof message>): Vitals | undefined {
  const vitals = {
    uptimeSeconds: within(data.uptime_seconds, 0, 1e12),
    signalStrength: within(data.signal_strength ?? data.wifi_rssi, -200, 100),
    freeHeap: within(data.free_heap, 0, 1e12),
    status: data.status?.slice(0, 50) || undefined,
  }
  return Object.values(vitals).some((value) => value !== undefined) ? vitals : undefined
}

function within(value: unknown, minimum: number, maximum: number): number | undefined {
  return typeof value === 'number' && value >= minimum && value <= maximum ? value : undefined
}

function stateOf(states: Readonly<Record<string, boolean>>, switchId: string | undefined): boolean | undefined {
  if (switchId !== undefined) return Object.hasOwn(states, switchId) ? states[switchId] : undefined
  const values = Object.values(states)
  return values.length === 1 ? values[0] : undefined
}

/** ISO 8601 with or without a zone, or epoch milliseconds; what is neither is as good as no time. */
function timeOf(timestamp: string | number | null | undefined): DeviceTime | undefined {
  if (timestamp === null || timestamp === undefined) return undefined
  if (typeof timestamp === 'number') return { kind: 'instant', ms: timestamp }
  return textualTime(timestamp)
}
