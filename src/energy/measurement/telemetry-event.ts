import { z } from 'zod'
import { defineAppendOnlyEntity, type Input, type Stored } from '../../core/entity.js'
import { instant, objectId, quantity } from '../../core/fields.js'
import { channelFields, metadata, sources } from './channel.js'

/** How sure the rest is. */
const qualityFlags = z.strictObject({
  /** The device's clock was not credible, or differs clearly from the time of arrival. */
  time_drift: z.boolean().default(false),
  /** A later event of the device had come before it. */
  out_of_order: z.boolean().default(false),
  /** The same event had come before. */
  duplicate: z.boolean().default(false),
  /** The device had been silent for longer than its gap limit. */
  gap_before: z.boolean().default(false),
  /** How sure it is. @default 'high' */
  confidence: z.enum(['high', 'medium', 'low']).default('high'),
})

const telemetryFields = {
  timestamp: instant(),
  received_at: instant(),
  meta: z.strictObject({
    ...channelFields,
    /** The classroom or other site. */
    site: objectId().optional(),
  }),
  type: z.enum(['sensor', 'heartbeat', 'status']),
  /** What the sensor measures, such as `temperature`. */
  name: z.string().min(1).max(100).optional(),
  value: z.union([z.number(), z.boolean(), z.string().max(1000)]).optional(),
  unit: z.string().min(1).max(20).optional(),
  uptime_seconds: quantity(0, 1e12).optional(),
  status: z.string().min(1).max(50).optional(),
  firmware_ver: z.string().min(1).max(100).optional(),
  /** dBm */
  signal_strength: quantity(-200, 100).optional(),
  /** Bytes. */
  free_heap: quantity(0, 1e12).optional(),
  /** The run of the device, and its own number of the message in it. */
  boot: z.string().min(1).max(64).optional(),
  sequence_no: z.int().min(0).optional(),
  quality_flags: qualityFlags.optional(),
  source: sources,
  metadata,
}

/** Any other value of a sensor, and what a device says of itself. @param expireAfterSeconds How long it is kept; for ever if left out. */
export function telemetryEventEntityOf(expireAfterSeconds?: number) {
  return defineAppendOnlyEntity({
    name: 'telemetry event',
    collection: 'telemetry_events',
    personal: {
      subjects: { 'meta.owner': { onErasure: 'anonymise' } },
      notPersonal: (
        'timestamp received_at type name value unit uptime_seconds status firmware_ver signal_strength free_heap boot ' +
        'sequence_no quality_flags source metadata'
      ).split(' '),
    },
    fields: telemetryFields,
    rules: [
      {
        path: 'value',
        message: 'a sensor has a name and a value',
        check: ({ type, name, value }) => type !== 'sensor' || (name !== undefined && value !== undefined),
        expression: {
          $or: [
            { $ne: ['$type', 'sensor'] },
            { $and: [{ $ne: [{ $type: '$name' }, 'missing'] }, { $ne: [{ $type: '$value' }, 'missing'] }] },
          ],
        },
      },
    ],
    timeSeries: {
      timeField: 'timestamp',
      metaField: 'meta',
      granularity: 'seconds',
      ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
    },
    shardKey: { 'meta.device': 1 },
    indexes: [
      { key: { 'meta.device': 1, timestamp: 1 }, serves: 'the events of a device by time' },
      { key: { 'meta.switch': 1, timestamp: 1 }, serves: 'the events of a switch by time' },
      { key: { 'meta.site': 1, timestamp: 1 }, serves: 'the events of a site by time' },
      { key: { 'meta.owner': 1, timestamp: 1 }, serves: 'the events of a user’s devices by time' },
    ],
  })
}
export const telemetryEventEntity = telemetryEventEntityOf()
export type TelemetryEvent = Stored<typeof telemetryEventEntity>
export type TelemetryEventInput = Input<typeof telemetryEventEntity>
