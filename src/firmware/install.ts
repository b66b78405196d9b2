import { z } from 'zod'
import { defineEntity, type Stored } from '../core/entity.js'
import { objectId, quantity } from '../core/fields.js'

export const installStatuses = [
  'pending',
  'downloading',
  'installing',
  'succeeded',
  'failed',
  'rolled_back',
  'cancelled',
] as const
export type InstallStatus = (typeof installStatuses)[number]

/** How far a device is in a roll-out. */
export const installEntity = defineEntity({
  name: 'firmware install',
  collection: 'firmware_installs',
  personal: 'none',
  fields: {
    /** The roll-out that it is part of. */
    rollout: objectId(),
    /** The device that is to run the firmware. */
    device: objectId(),
    /** How far the device is. */
    status: z.enum(installStatuses),
    /** The device's place among all, in percent: the same however often it is computed. Below 0: allowed from the start. */
    share: quantity(-1, 100),
    /** What the device ran before. */
    fromVersion: z.string().max(100).optional(),
    /** How often it was offered, and when last; an offer is good for an hour. */
    offers: z.int().min(0),
    /** When it was offered last. */
    offeredAt: z.date().optional(),
    /** Bytes from the start of the image that have left without a gap. */
    sentBytes: z.int().min(0),
    /** When the first byte had left. */
    startedAt: z.date().optional(),
    /** When the last byte had left. */
    sentAt: z.date().optional(),
    /** Until then the device has to run it. */
    deadlineAt: z.date().optional(),
    /** Times that the device came back with the old version. */
    rollBacks: z.int().min(0),
    /** Why it has ended so, or could not be offered. */
    reason: z.string().max(500).optional(),
    /** When it ended. */
    endedAt: z.date().optional(),
  },
  shardKey: { rollout: 1 },
  indexes: [
    { key: { rollout: 1, device: 1 }, unique: true, serves: 'the row of a device' },
    { key: { rollout: 1, status: 1, share: 1 }, serves: 'the counts of a stage, and whom to offer it next' },
    { key: { rollout: 1, status: 1, deadlineAt: 1 }, serves: 'devices that have to run it by now' },
    { key: { rollout: 1, offeredAt: 1 }, serves: 'how many were offered it in the last minute' },
    { key: { device: 1, _id: -1 }, serves: 'the updates of a device, newest first' },
  ],
})

export type FirmwareInstall = Stored<typeof installEntity>
