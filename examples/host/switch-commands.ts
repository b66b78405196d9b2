import { createHmac, randomUUID } from 'node:crypto'
import { type AutoVolt, type Device, NotFoundError } from '@autovolt/data'
import type { MqttClient } from 'mqtt'
import { isDeployed } from './registration.js'

export interface User {
  readonly id: string
  readonly name: string
}

/**
 * Tells devices to switch, over MQTT. There is no answer but what happens: the device reports that it moved the relay, or
 * says nothing.
 */
export class SwitchCommands {
  readonly #volt: AutoVolt
  readonly #client: MqttClient

  constructor(volt: AutoVolt, client: MqttClient) {
    this.#volt = volt
    this.#client = client
  }

  /** @throws NotFoundError if there is no such device, or it has no such switch or no secret. */
  async send(macAddress: string, gpio: number, state: boolean, user: User): Promise<void> {
    const device = await this.#volt.devices.findByMacAddress(macAddress)
    if (device === null) throw new NotFoundError('device', `MAC address ${macAddress}`)
    const target = device.switches.find((one) => one.gpio === gpio)
    if (target === undefined || target.type === 'meter') throw new NotFoundError('switch', `gpio ${gpio}`)
    const secret = await this.#volt.devices.revealDeviceSecret(device._id)
    const order = { gpio, state, userId: user.id, userName: user.name }
    const [topic, payload] = isDeployed(device)
      ? deployedCommand(device, secret, order)
      : v2Command(device, secret, order)
    await this.#client.publishAsync(topic, payload, { qos: 1 })
  }
}

interface Order {
  readonly gpio: number
  readonly state: boolean
  readonly userId: string
  readonly userName: string
}

/** Every device hears it; the one with this address and secret acts. */
function deployedCommand({ macAddress }: Device, secret: string, order: Order): [topic: string, payload: string] {
  return ['esp32/switches', JSON.stringify({ mac: macAddress, secret, ...order })]
}

/** Signed as the device's own messages are, with a time so that it cannot be used again later. */
function v2Command({ macAddress }: Device, secret: string, order: Order): [topic: string, payload: string] {
  const topic = `autovolt/v2/${macAddress.replaceAll(':', '').toLowerCase()}/command`
  const unsigned = JSON.stringify({ id: randomUUID(), time: Date.now(), ...order }).slice(0, -1)
  const hmac = createHmac('sha256', secret).update(`${topic}\n${unsigned}`).digest('hex')
  return [topic, `${unsigned},"hmac":"${hmac}"}`]
}
