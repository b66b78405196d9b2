import { createHmac } from 'node:crypto'

/** The message with the signature of version 2 for its topic, by a device with this secret. */
export function signed(topic: string, secret: string, message: object): string {
  const unsigned = JSON.stringify(message).slice(0, -1)
  return `${unsigned},"hmac":"${createHmac('sha256', secret).update(`${topic}\n${unsigned}`).digest('hex')}"}`
}
