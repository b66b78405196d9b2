import { createHmac } from 'node:crypto'
import type { Device } from '../../devices/device.js'

/** A message to be published. */
export interface OutgoingMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
}

/** Where a device of version 2 listens. */
export function v2Topic(prefix: string, { macAddress = '' }: Pick<Device, 'macAddress'>, kind: string): string {
  return `${prefix}/v2/${macAddress.replaceAll(':', '').toLowerCase()}/${kind}`
}

/** The signature is the last member: made of the topic, a line feed, and all that comes before it. See docs/mqtt.md. */
export function signedMessage(topic: string, secret: string, message: object): OutgoingMessage {
  const unsigned = JSON.stringify(message).slice(0, -1)
  const hmac = createHmac('sha256', secret).update(`${topic}\n${unsigned}`).digest('hex')
  return { topic, payload: `${unsigned},"hmac":"${hmac}"}`, qos: 1 }
}
