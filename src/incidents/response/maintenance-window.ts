import { z } from 'zod'
import { defineEntity, type EntityRule, type Input, type Stored } from '../../core/entity.js'
import { instant, objectId } from '../../core/fields.js'

const rules: readonly EntityRule[] = [
  {
    path: 'until',
    message: 'is after `from`',
    check: ({ from, until }) => Number(until) > Number(from),
    expression: { $gt: ['$until', '$from'] },
  },
]

/** Maintenance window: a time in which rules open nothing, for people are at work there. */
export const maintenanceWindowEntity = defineEntity({
  name: 'maintenance window',
  collection: 'maintenance_windows',
  personal: {
    mentions: { in: ['reason'], onErasure: 'replace' },
    notPersonal: ['classroom', 'device', 'from', 'until'],
  },
  fields: {
    /** Why, such as `New meters`. */
    reason: z.string().min(1).max(500),
    /** The site whose devices it is about; all sites if left out. */
    classroom: objectId().optional(),
    /** The device that it is about; all of the site if left out. */
    device: objectId().optional(),
    /** From when. */
    from: instant(),
    /** Until when; not then any more. */
    until: instant(),
  },
  rules,
  indexes: [
    { key: { until: 1, from: 1 }, serves: 'windows that are under way, or were at some time' },
    { key: { classroom: 1, from: -1, _id: -1 }, serves: 'the windows of a site, newest first' },
  ],
})

export type MaintenanceWindow = Stored<typeof maintenanceWindowEntity>
export type MaintenanceWindowInput = Input<typeof maintenanceWindowEntity>
