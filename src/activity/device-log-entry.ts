import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../core/entity.js'
import { anyValue, objectId } from '../core/fields.js'

/** What the library logs of devices; a host adds kinds of its own. */
export const deviceLogKinds = {
  connected: 'info',
  disconnected: 'warning',
  rebooted: 'info',
  firmware_changed: 'info',
  firmware_update: 'info',
  config_pushed: 'info',
  message_refused: 'error',
} as const

const deviceLogsExpireAfterSeconds = 7_776_000

/**
 * What happened to a device: written with what is reported of it, and never changed.
 * @param expireAfterSeconds How long entries are kept; null for ever.
 */
export function deviceLogEntryEntityOf(expireAfterSeconds: number | null) {
  return defineAppendOnlyEntity({
    name: 'device log entry',
    collection: 'device_logs',
    personal: {
      mentions: { in: ['message', 'details', 'key'], onErasure: 'replace' },
      notPersonal: ['device', 'kind', 'level', 'at'],
    },
    fields: {
      /** The device that it happened to. */
      device: objectId(),
      /** `connected`, `rebooted` and others of the library's, or the host's own. */
      kind: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/, { error: 'expected a word such as `rebooted`' }),
      /** How much it matters. */
      level: z.enum(['info', 'warning', 'error']),
      /** What to read, in a sentence. */
      message: z.string().max(1_000).optional(),
      /** What else is known of it. */
      details: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue()).optional(),
      /** When it happened, by the device where it has a clock. */
      at: z.date(),
      /** The same for the same event, however often and by how many processes it is reported. */
      key: z.string().min(1).max(200),
    },
    shardKey: { device: 1 },
    indexes: [
      { key: { device: 1, key: 1 }, unique: true, serves: 'one entry for an event' },
      { key: { device: 1, at: -1, _id: -1 }, serves: 'what happened to a device, newest first' },
      { key: { device: 1, kind: 1, at: -1, _id: -1 }, serves: 'the same of one kind, such as its reboots' },
      { key: { kind: 1, at: -1, _id: -1 }, serves: 'the last events of a kind, of all devices' },
      { key: { level: 1, at: -1, _id: -1 }, serves: 'the last errors' },
      {
        key: { at: 1 },
        ...(expireAfterSeconds === null ? {} : { expireAfterSeconds }),
        serves: 'nobody: the server removes what is older',
      },
    ],
  })
}

export const deviceLogEntryEntity = deviceLogEntryEntityOf(deviceLogsExpireAfterSeconds)

export type DeviceLogEntry = Stored<typeof deviceLogEntryEntity>
