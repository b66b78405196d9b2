import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { type FirmwareOffer, firmwareOffer } from './firmware-update.js'

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

const fresh = z.looseObject({ time: z.number() })
const command = z.object({
  id: z.string(),
  gpio: z.int(),
  state: z.boolean(),
  userId: z.string().optional(),
  userName: z.string().optional(),
})

/** A message to a device, if it has the right signature and is fresh. */
function verified(topic: string, payload: Buffer, secret: string): unknown {
  const match = /^(\{.*),"hmac":"([0-9a-f]{64})"\}$/s.exec(payload.toString())
  const [, unsigned = '', given = ''] = match ?? []
  const expected = signature(topic, secret, unsigned)
  if (match === null || !timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return undefined
  const message = fresh.parse(JSON.parse(`${unsigned}}`))
  return Math.abs(Date.now() - message.time) > commandAgeMs ? undefined : message
}

/** The command to this device; undefined for what is none that it may obey. */
export function readV2Command(topic: string, payload: Buffer, secret: string) {
  const result = command.safeParse(verified(topic, payload, secret))
  if (!result.success) return undefined
  const { id, gpio, state, userId, userName } = result.data
  const user = { ...(userId === undefined ? {} : { userId }), ...(userName === undefined ? {} : { userName }) }
  return { id, gpio, state, user }
}

/** The firmware that the device is offered; undefined for what is no such offer. */
export function readFirmwareOffer(topic: string, payload: Buffer, secret: string): FirmwareOffer | undefined {
  return firmwareOffer.safeParse(verified(topic, payload, secret)).data
}

function signature(topic: string, secret: string, unsigned: string): string {
  return createHmac('sha256', secret).update(`${topic}\n${unsigned}`).digest('hex')
}
