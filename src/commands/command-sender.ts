import type { Database } from '../core/database.js'
import type { Device } from '../devices/device.js'
import type { DeviceCommand } from './command.js'
import type { CommandEnd } from './command-store.js'
import type { Pacer } from './pacer.js'
import type { SendPermit, SendResult, Transport } from './transport.js'

/** What came of trying to send a command. */
export type Sent =
  | { readonly kind: 'sent'; readonly answerMs: number; readonly isAcknowledged: boolean }
  | { readonly kind: 'ended'; readonly end: CommandEnd }
  /** Nothing was sent; it may be tried again. */
  | { readonly kind: 'not_sent' }

/** Sends single commands by the transports of this process. */
export class CommandSender {
  readonly #database: Database
  readonly #transports: readonly Transport[]
  readonly #pacer: Pacer

  constructor(database: Database, transports: readonly Transport[], pacer: Pacer) {
    this.#database = database
    this.#transports = transports
    this.#pacer = pacer
  }

  get protocols(): string[] {
    return [...new Set(this.#transports.flatMap(({ protocols }) => protocols))]
  }

  /** The transport that reaches the device now; undefined if there is none. */
  transportTo(device: Device): Transport | undefined {
    return this.#transports.find((one) => one.protocols.includes(device.protocol) && one.isReachable(device))
  }

  async send(command: DeviceCommand, device: Device | undefined, permit: SendPermit): Promise<Sent> {
    if (device === undefined) return gone('the device is not registered any more')
    if (device.service === 'inactive') return gone('the device is not in service')
    const transport = this.transportTo(device)
    if (transport === undefined) return { kind: 'not_sent' }
    const turn = { pauseMs: transport.pauseMs(device), signal: permit.signal }
    return this.#pacer.inTurn(device._id.toHexString(), turn, () => this.#sendBy(transport, command, device, permit))
  }

  async #sendBy(transport: Transport, command: DeviceCommand, device: Device, permit: SendPermit): Promise<Sent> {
    if (!permit.isValid()) return { kind: 'not_sent' }
    try {
      return this.#sent(await transport.send(command, device, permit), transport, device)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const about = { transport: transport.name, device: device._id.toHexString(), command: command._id.toHexString() }
      this.#database.logger.warn({ ...about, reason }, 'a command could not be sent')
      return { kind: 'not_sent' }
    }
  }

  #sent(result: SendResult, transport: Transport, device: Device): Sent {
    const at = this.#database.clock.now()
    switch (result.kind) {
      case 'published':
      case 'acknowledged':
        return {
          kind: 'sent',
          answerMs: transport.answerWithinMs(device),
          isAcknowledged: result.kind === 'acknowledged',
        }
      case 'succeeded':
        return {
          kind: 'ended',
          end: { status: 'succeeded', answer: { at, evidence: 'transport', state: result.state } },
        }
      case 'refused':
        return {
          kind: 'ended',
          end: { status: 'failed', reason: 'refused', detail: result.detail, answer: { at, evidence: 'transport' } },
        }
    }
  }
}

function gone(detail: string): Sent {
  return { kind: 'ended', end: { status: 'failed', reason: 'unreachable', detail } }
}
