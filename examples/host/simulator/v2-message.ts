import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** Where version 2 of the protocol is spoken: everything of a device is below its own address. */
export function v2Topic(macAddress: string, kind: string): string {
  return `autovolt/v2/${macAddress.replaceAll(':', '').toLowerCase()}/${kind}`
}

/** Signs a message: the signature is its last member, made of the topic, a line feed, and all that comes before it. */
export function signed(topic: string, secret: string, message: object): string {
  const unsigned = JSON.stringify(message).slice(0, -1)
  return `${unsigned},"hmac":"${signature(topic, secret, unsigned)}"}`
}

/** A command that was held up somewhere is not obeyed any more. */
const commandAgeMs = 30_000

const command = z.object({
  id: z.string(),
  time: z.number(),
  gpio: z.int(),
  state: z.boolean(),
  userId: z.string().optional(),
  userName: z.string().optional(),
})

/** The command to this device, if it has the right signature and is fresh. */
export function readV2Command(payload: Buffer, device: { readonly macAddress: string; readonly secret: string }) {
  const match = /^(\{.*),"hmac":"([0-9a-f]{64})"\}$/s.exec(payload.toString())
  const [, unsigned = '', given = ''] = match ?? []
  const expected = signature(v2Topic(device.macAddress, 'command'), device.secret, unsigned)
  if (match === null || !timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return undefined
  const { gpio, state, time, id: _, ...user } = command.parse(JSON.parse(`${unsigned}}`))
  return Math.abs(Date.now() - time) > commandAgeMs ? undefined : { gpio, state, user }
}

function signature(topic: string, secret: string, unsigned: string): string {
  return createHmac('sha256', secret).update(`${topic}\n${unsigned}`).digest('hex')
}
