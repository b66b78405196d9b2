import { where } from '../core/repository/conditions.js'
import type { Ledger } from '../ledger/ledger.js'
import type { KnownDevice } from './device-directory.js'
import { OrderedDevice } from './ordered-device.js'
import type { StateChange } from './switch-states.js'

const rememberedChanges = 8

/** The devices whose messages know order only by arrival, and what is believed of them. */
export class OrderedDevices {
  readonly #ledger: Ledger
  readonly #known = new Map<string, { readonly device: KnownDevice; readonly state: OrderedDevice }>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** What is believed of the device; at first what the database says. */
  async stateOf(device: KnownDevice): Promise<OrderedDevice> {
    const key = device.id.toHexString()
    const known = this.#known.get(key)
    // A registration that was read again may have other switches.
    if (known?.device.document.__v === device.document.__v) return known.state
    const changes = await this.#changesOf(device)
    const { boot, lastSignOfLifeAt } = device.document
    const state = new OrderedDevice(device, {
      aliveMs: lastSignOfLifeAt?.getTime(),
      boot: boot === undefined ? undefined : { id: boot.id, startedMs: boot.startedAt.getTime() },
      changes,
    })
    this.#known.set(key, { device, state })
    return state
  }

  /** Believes only what the database says, from now on. */
  forget(): void {
    this.#known.clear()
  }

  async #changesOf(device: KnownDevice): Promise<Map<number, StateChange[]>> {
    const changes = new Map<number, StateChange[]>()
    for (const [gpio, { _id }] of device.switches) {
      const entries = await this.#ledger.find(
        { switchId: _id, eventType: where.in(['switch_on', 'switch_off'] as const) },
        { sort: { timestamp: -1 }, limit: rememberedChanges },
      )
      changes.set(
        gpio,
        entries.toReversed().map(({ timestamp, powerState, flags }) => ({
          atMs: timestamp.getTime(),
          on: powerState,
          isSnapshot: flags.includes('snapshot'),
        })),
      )
    }
    return changes
  }
}
