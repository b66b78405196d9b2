import { normalizeMacAddress } from '@autovolt/data'
import { z } from 'zod'
import type { DeployedPlan } from './plan.js'

/** What the deployed firmware accepts: some backends name the relay and its state in other ways. */
const message = z.object({
  mac: z.string(),
  secret: z.string(),
  gpio: z.int().optional(),
  relayGpio: z.int().optional(),
  index: z.int().optional(),
  state: z.boolean().optional(),
  value: z.union([z.boolean(), z.literal([0, 1])]).optional(),
  userId: z.string().optional(),
  userName: z.string().optional(),
})

export interface SwitchCommand {
  readonly gpio: number
  readonly on: boolean
  readonly user: { readonly userId?: string; readonly userName?: string }
}

/** The command, if it is one for this device. What is not is passed over in silence. */
export function readSwitchCommand(payload: Buffer, plan: DeployedPlan): SwitchCommand | undefined {
  const result = message.safeParse(parse(payload))
  if (!result.success) return undefined
  const { mac, secret, gpio, relayGpio, index, state, value, userId, userName } = result.data
  if (normalizeMacAddress(mac) !== plan.macAddress || secret !== plan.secret) return undefined
  const pin = gpio ?? relayGpio ?? (index === undefined ? undefined : plan.switches[index]?.gpio)
  const on = state ?? value
  if (pin === undefined || on === undefined) return undefined
  const user = { ...(userId === undefined ? {} : { userId }), ...(userName === undefined ? {} : { userName }) }
  return { gpio: pin, on: Boolean(on), user }
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return undefined
  }
}
