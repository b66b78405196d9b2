import { z } from 'zod'
import { instant, objectId } from '../../core/fields.js'
import { severities } from '../severity.js'
import { alertFields } from './alert.js'

export const alertInputSchema = z.strictObject({
  /** What it is about, such as `device_offline:<id>`: what has the same key is the same. */
  key: alertFields.key(),
  /** What happened, such as `device_offline`. */
  type: alertFields.type(),
  /** What noticed it: a part of the host, such as `door sensors`. */
  source: alertFields.source(),
  /** How bad it is. */
  severity: z.enum(severities),
  /** For people. */
  message: alertFields.message(),
  /** When it happened; a repeat at or before the last occurrence is that one again. @default now */
  timestamp: instant().optional(),
  /** What was measured. */
  value: alertFields.value().optional(),
  /** The site that it is about. */
  classroom: objectId().optional(),
  /** The device that it is about. */
  device: objectId().optional(),
  /** The case that it belongs to. */
  case: objectId().optional(),
  /** What a host adds for its own pages. */
  metadata: alertFields.metadata().optional(),
})
export type AlertInput = z.input<typeof alertInputSchema>
export type ParsedAlert = z.output<typeof alertInputSchema>

export const clearSchema = z.strictObject({
  /** The key of the alert. */
  key: alertFields.key(),
  /** When it was over; an alert that happened again after that stays. @default now */
  at: instant().optional(),
  /** Why it is over. */
  resolution: alertFields.resolution().optional(),
})
export type AlertClearing = z.input<typeof clearSchema>

export const byUserSchema = z.strictObject({
  /** The user who does it. */
  by: objectId().optional(),
})
export type AlertOptions = z.input<typeof byUserSchema>

export const resolveSchema = byUserSchema.extend({
  /** What was done. */
  resolution: alertFields.resolution().optional(),
})
export type AlertResolveOptions = z.input<typeof resolveSchema>
