import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'

/**
 * What became of a measurement later. The documents of a time series cannot be changed, so it is kept beside them.
 * @param expireAfterSeconds As long as measurements are kept.
 */
export function measurementMarkEntityOf(expireAfterSeconds?: number) {
  return defineEntity({
    name: 'measurement mark',
    collection: 'energy_measurement_marks',
    personal: {
      subjects: { validated_by: { onErasure: 'delete' } },
      notPersonal: ['device', 'timestamp', 'identity', 'validated'],
    },
    fields: {
      device: objectId(),
      /** The instant of the measurement. */
      timestamp: z.date(),
      /** What distinguishes the measurement from others of its device and instant. */
      identity: z.string().min(1).max(300),
      validated: z.boolean(),
      /** Who has validated it, or taken that back. */
      validated_by: objectId().optional(),
    },
    shardKey: { device: 1 },
    indexes: [
      {
        key: { device: 1, timestamp: 1, identity: 1 },
        unique: true,
        serves: 'the marks of measurements, one for each',
      },
      {
        key: { timestamp: 1 },
        ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
        serves: 'the marks of measurements that are kept no longer, which go with them',
      },
    ],
  })
}

export const measurementMarkEntity = measurementMarkEntityOf()
export type MeasurementMark = Stored<typeof measurementMarkEntity>
