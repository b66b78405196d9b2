import { connect, type MqttClient } from 'mqtt'

/** What is said on the topic that tells whether the device is there. */
interface Status {
  readonly topic: string
  readonly online: () => string
  /** The last will: the broker says it when it finds the device gone. */
  readonly offline: string
}

export interface LinkOptions {
  readonly url: string
  readonly clientId: string
  readonly subscriptions: readonly string[]
  /** Asked before each connection. */
  readonly status: () => Status
  readonly onConnected: () => void
  readonly onMessage: (topic: string, payload: Buffer) => void
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
    let status = this.#options.status()
    const client = connect(this.#options.url, {
      protocolVersion: 4,
      clientId: this.#options.clientId,
      keepalive: 15,
      reconnectPeriod: reconnectMs,
      will: willOf(status),
    })
    this.#client = client
    client.on('connect', () => {
      client.subscribe([...this.#options.subscriptions], { qos: 1 })
      // What waits has lower numbers: it goes out first.
      this.#options.onConnected()
      client.publish(status.topic, status.online(), { qos: 1, retain: true }, ignore)
    })
    client.on('reconnect', () => {
      status = this.#options.status()
      client.options.will = willOf(status)
    })
    client.on('message', (topic, payload) => this.#options.onMessage(topic, payload))
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

function willOf({ topic, offline }: Status) {
  return { topic, payload: Buffer.from(offline), qos: 1, retain: true } as const
}

function ignore(): void {}
