import { createHmac, randomUUID } from 'node:crypto'
import { DatabaseError } from '../core/errors.js'
import { isRecord } from '../core/is-record.js'
import type { FirmwareOffer, OfferFirmware } from '../firmware/rollout-offers.js'

/** What can publish, such as a client of mqtt.js. */
export interface Publisher {
  publishAsync(topic: string, payload: string, options: { readonly qos: 1 }): Promise<unknown>
}

/** Where the secrets of devices are: the handle. */
export interface DeviceSecrets {
  readonly devices: { revealDeviceSecret(id: FirmwareOffer['device']['_id']): Promise<string> }
}

export interface FirmwareOfferOptions {
  /** The level before `/v2/`. @default 'autovolt' */
  readonly prefix?: string
}

/**
 * Offers firmware to devices of version 2: the message `firmware`, signed as commands are, at QoS 1 and not retained.
 * @throws DatabaseError `CONFIGURATION` for what is no client, no handle and no prefix.
 * @example
 * volt.firmware.start({ baseUrl: 'https://energy.example.org/firmware', offer: offerFirmwareBy(client, volt) })
 */
export function offerFirmwareBy(
  client: Publisher,
  handle: DeviceSecrets,
  options: FirmwareOfferOptions = {},
): OfferFirmware {
  requireParts(client, handle, options)
  const { prefix = 'autovolt' } = options
  return async ({ rollout, device, version, board, hardware, bytes, sha256, signature, url, expiresAt }) => {
    if (device.macAddress === undefined)
      throw new DatabaseError('CONFIGURATION', `The device ${device._id.toHexString()} has no MAC address, so no topic`)
    const topic = `${prefix}/v2/${device.macAddress.replaceAll(':', '').toLowerCase()}/firmware`
    const message = {
      id: randomUUID(),
      time: Date.now(),
      rollout: rollout.toHexString(),
      version,
      board,
      hardware,
      bytes,
      sha256,
      signature,
      url,
      expires: expiresAt.getTime(),
    }
    const unsigned = JSON.stringify(message).slice(0, -1)
    const secret = await handle.devices.revealDeviceSecret(device._id)
    const hmac = createHmac('sha256', secret).update(`${topic}\n${unsigned}`).digest('hex')
    await client.publishAsync(topic, `${unsigned},"hmac":"${hmac}"}`, { qos: 1 })
  }
}

function requireParts(client: unknown, handle: unknown, options: unknown): void {
  const isClient = isRecord(client) && typeof client.publishAsync === 'function'
  const devices = isRecord(handle) ? handle.devices : undefined
  const isHandle = isRecord(devices) && typeof devices.revealDeviceSecret === 'function'
  const prefix = isRecord(options) ? (options.prefix ?? 'autovolt') : undefined
  const isPrefix =
    typeof prefix === 'string' && prefix.length <= 200 && /^[^+#\0/][^+#\0]*$/.test(prefix) && !prefix.endsWith('/')
  if (isClient && isHandle && isPrefix) return
  const message =
    'Firmware is offered by a client that can publish, with the secrets of a handle, below a prefix without wildcards'
  throw new DatabaseError('CONFIGURATION', message)
}
