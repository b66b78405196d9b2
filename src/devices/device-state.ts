import { z } from 'zod'
import { validateData } from '../core/validate.js'
import type { Device, DeviceSwitch } from './device.js'

/** How long after its last message a device counts as online. */
export const defaultOnlineWithinMs = 300_000

const seen = z.looseObject({ status: z.string().optional(), lastSeenAt: z.date().optional() })
const within = z.number().min(0).default(defaultOnlineWithinMs)
const withSwitches = z.looseObject({
  switches: z.array(z.looseObject({ state: z.boolean().optional(), powerRating: z.number() })),
})

/** Whether the device is online: it says so, or the broker, and was seen a short time ago. @throws ValidationError. */
export function isOnlineAt(device: Pick<Device, 'status' | 'lastSeenAt'>, nowMs: number, withinMs?: number): boolean {
  const { status, lastSeenAt } = validateData(seen, device, 'The device')
  const limitMs = validateData(within, withinMs, 'The time')
  return status === 'online' && lastSeenAt !== undefined && nowMs - lastSeenAt.getTime() <= limitMs
}

/** The switches that are on, as far as is known. @throws ValidationError. */
export function activeSwitchesOf(device: Pick<Device, 'switches'>): DeviceSwitch[] {
  validateData(withSwitches, device, 'The device')
  return device.switches.filter(({ state }) => state === true)
}

/** W; what the loads that are on take by their ratings. @throws ValidationError. */
export function ratedPowerOf(device: Pick<Device, 'switches'>): number {
  return activeSwitchesOf(device).reduce((total, { powerRating }) => total + powerRating, 0)
}

/** The switches that move something: all but channels that only measure. */
export function relaysOf({ switches }: Pick<Device, 'switches'>): DeviceSwitch[] {
  return switches.filter(({ type }) => type !== 'meter')
}
