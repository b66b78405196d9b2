import type { MqttClient } from 'mqtt'

type Answer = (isAnswered: boolean) => void

/**
 * Pings, and waits for their answers. A broker works through what a client sends in order: with the answer it has got every
 * acknowledgement that went out before the ping, and has sent whatever was waiting for them.
 */
export class RoundTrips {
  readonly #client: MqttClient
  /** Who waits for the answers, in the order of the pings; nobody waits for those that mqtt.js sends by itself. */
  readonly #waiting: (Answer | undefined)[] = []
  #next: Answer | undefined

  constructor(client: MqttClient) {
    this.#client = client
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq') this.#sent()
    })
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp') this.#waiting.shift()?.(true)
    })
    client.on('close', () => this.#closed())
  }

  /** @returns whether the broker has answered; false if the connection ended before. */
  ping(): Promise<boolean> {
    if (!this.#client.connected) return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#next = resolve
      this.#client.sendPing()
    })
  }

  #sent(): void {
    this.#waiting.push(this.#next)
    this.#next = undefined
  }

  #closed(): void {
    for (const answer of this.#waiting.splice(0)) answer?.(false)
  }
}
