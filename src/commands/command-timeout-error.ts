import { DatabaseError } from '../core/errors.js'
import type { DeviceCommand } from './command.js'

/** What is known of a command that nothing has answered in time. */
export interface KnownOfCommand {
  /** Whether it was handed to the transport, as far as is known: `no` is certain, and it is not sent any more. */
  readonly wasSent: 'no' | 'yes' | 'unknown'
  /** When the device was last seen; undefined if never. */
  readonly deviceSeenAt: Date | undefined
  /** What the switch was last known to be; undefined if it is not known, or the command is about none. */
  readonly lastState: boolean | undefined
}

/** No answer came in time. That does not say that the device has not done it: see `known`. */
export class CommandTimeoutError extends DatabaseError {
  readonly command: DeviceCommand
  readonly known: KnownOfCommand

  constructor(command: DeviceCommand, known: KnownOfCommand) {
    const said = { no: 'was not sent', yes: 'was sent', unknown: 'may have been sent' }[known.wasSent]
    super('TIMEOUT', `The command ${command.command} ${said}, and the device has not answered in time`, {
      retryable: true,
    })
    this.command = command
    this.known = known
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), command: this.command._id.toHexString(), known: this.known }
  }
}
