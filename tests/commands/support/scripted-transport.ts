import type { DeviceCommand } from '../../../src/commands/command.js'
import type { SendPermit, SendResult, Transport } from '../../../src/commands/transport.js'

export interface Sending {
  readonly id: string
  readonly command: string
  readonly gpio: number | undefined
  readonly attempt: number
  readonly atMs: number
}

export interface ScriptedTransport extends Transport {
  /** What was sent, in order. */
  readonly sent: Sending[]
  /** What comes of the next sendings; of all others `published`. */
  readonly script: (SendResult | Error)[]
  /** Whether devices can be reached. */
  isThere: boolean
  answerMs: number
  pause: number
}

/** A transport that notes what it sends, and does as it is told. */
export function scriptedTransport(overrides: Partial<ScriptedTransport> = {}): ScriptedTransport {
  const transport: ScriptedTransport = {
    name: 'scripted',
    protocols: ['mqtt'],
    sent: [],
    script: [],
    isThere: true,
    answerMs: 60_000,
    pause: 0,
    isReachable: () => transport.isThere,
    answerWithinMs: () => transport.answerMs,
    pauseMs: () => transport.pause,
    async send(command: DeviceCommand, _device, _permit: SendPermit) {
      const next = transport.script.shift() ?? { kind: 'published' }
      if (next instanceof Error) throw next
      const { _id, command: name, gpio, attempts } = command
      transport.sent.push({ id: _id.toHexString(), command: name, gpio, attempt: attempts, atMs: performance.now() })
      return next
    },
    ...overrides,
  }
  return transport
}
