export interface OutgoingMessage {
  readonly topic: string
  readonly payload: string
}

/** Sends a message if there is a connection, and calls back when the broker has acknowledged it. */
type Publish = (message: OutgoingMessage, onAcknowledged: () => void) => void

/** The messages that the broker has not acknowledged yet, as many as an ESP32 has memory for. */
export class Outbox {
  readonly #room: number
  readonly #publish: Publish
  readonly #open = new Set<OutgoingMessage>()

  constructor(room: number, publish: Publish) {
    this.#room = room
    this.#publish = publish
  }

  send(message: OutgoingMessage): void {
    this.#open.add(message)
    const [oldest] = this.#open
    if (this.#open.size > this.#room && oldest !== undefined) this.#open.delete(oldest)
    this.#publish(message, () => this.#open.delete(message))
  }

  /** Sends everything once more, after a new connection: some of it may have arrived before. */
  resend(): void {
    for (const message of this.#open) this.#publish(message, () => this.#open.delete(message))
  }

  /** What a power cut does. */
  clear(): void {
    this.#open.clear()
  }
}
