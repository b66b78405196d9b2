import { connect, type MqttClient } from 'mqtt'

export interface LinkOptions {
  readonly url: string
  readonly clientId: string
  readonly subscription: string
  /** The topic that tells whether the device is there. The broker says the last will when it finds it gone. */
  readonly status: () => { readonly topic: string; readonly online: string | Buffer; readonly offline: string | Buffer }
  readonly onConnected: () => void
  readonly onCommand: (payload: Buffer) => void
}

/** How often a device tries to connect again. */
const reconnectMs = 1_500

/** A device's connection to the broker, with QoS 1. */
export class DeviceLink {
  readonly #options: LinkOptions
  #client: MqttClient | undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false
  }

  connect(): void {
    if (this.#client !== undefined) return
    const { topic, online, offline } = this.#options.status()
    const client = connect(this.#options.url, {
      protocolVersion: 4,
      clientId: this.#options.clientId,
      keepalive: 15,
      reconnectPeriod: reconnectMs,
      will: { topic, payload: Buffer.from(offline), qos: 1, retain: true },
    })
    this.#client = client
    client.on('connect', () => {
      client.subscribe(this.#options.subscription, { qos: 1 })
      client.publish(topic, online, { qos: 1, retain: true }, ignore)
      this.#options.onConnected()
    })
    client.on('message', (_topic, payload) => this.#options.onCommand(payload))
    // Without a listener an error would end the process. A device just tries again.
    client.on('error', ignore)
  }

  /** Sends the message; nothing is kept for later if there is no connection. */
  publish(topic: string, payload: string | Buffer, onAcknowledged: () => void = ignore): void {
    if (this.#client?.connected !== true) return
    this.#client.publish(topic, payload, { qos: 1 }, (error) => {
      if (!error) onAcknowledged()
    })
  }

  /** Cuts the connection. The device connects again and sends once more what was not acknowledged. */
  cut(): void {
    this.#client?.stream.destroy()
  }

  /** Goes without a word, as a device does that loses its power or its Wi-Fi. */
  async vanish(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.endAsync(true)
  }
}

function ignore(): void {}
