import { type AutoVolt, type BoundAutoVolt, NotFoundError } from '@autovolt/data'
import { ObjectId } from 'mongodb'

/** Who commands: somebody on the page, or one of the simulated people, of whom the library knows nothing. */
export interface User {
  readonly id: string
  readonly name: string
  /** The library as this user may use it. */
  readonly volt?: BoundAutoVolt
}

/** A light is not switched minutes after somebody has asked for it. */
const expiresInMs = 30_000

/** Puts what people ask for into the queue of commands. What becomes of it the device reports. */
export class SwitchCommands {
  readonly #volt: AutoVolt

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  /**
   * @returns the id of the command.
   * @throws NotFoundError if there is no such device; ValidationError if it has no such switch; AccessDeniedError.
   */
  async send(macAddress: string, gpio: number, state: boolean, user: User): Promise<{ readonly id: string }> {
    const device = await this.#volt.devices.findByMacAddress(macAddress)
    if (device === null) throw new NotFoundError('device', `MAC address ${macAddress}`)
    await user.volt?.require('control', 'devices', device._id)
    const requester = {
      name: user.name.slice(0, 64),
      source: 'app',
      ...(ObjectId.isValid(user.id) && { user: user.id }),
    }
    const options = { switch: gpio, priority: 'high', expiresInMs, requester } as const
    const command = state ? 'turn_on' : 'turn_off'
    const { _id } = await this.#volt.commands.enqueue(device._id, command, { power: state }, options)
    return { id: _id.toHexString() }
  }
}
