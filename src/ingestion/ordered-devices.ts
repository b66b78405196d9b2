import type { ActivityLog } from '../activity/activity-log.js'
import { where } from '../core/repository/conditions.js'
import type { Ledger } from '../ledger/ledger.js'
import type { Budget } from './budget.js'
import type { KnownDevice } from './device-directory.js'
import { OrderedDevice } from './ordered-device.js'
import type { RelayChange } from './relay/relay.js'

const rememberedChanges = 8
const rememberedEvents = 64
const maximumBytes = 64 * 1024 * 1024

/** The devices whose messages know order only by arrival, and what is believed of them. */
export class OrderedDevices {
  readonly #ledger: Ledger
  readonly #activities: ActivityLog
  readonly #known = new Map<string, { readonly device: KnownDevice; readonly state: OrderedDevice }>()

  #bytes = 0

  constructor(ledger: Ledger, activities: ActivityLog) {
    this.#ledger = ledger
    this.#activities = activities
  }

  /** What is believed of the device; at first what the database says. */
  async stateOf(device: KnownDevice): Promise<OrderedDevice> {
    const key = device.id.toHexString()
    const known = this.#known.get(key)
    // A registration that was read again may have other switches.
    if (known?.device.document.__v === device.document.__v) {
      this.#known.delete(key)
      this.#known.set(key, known)
      return known.state
    }
    const changes = await this.#changesOf(device)
    const events = await this.#activities.find(
      { deviceId: device.id },
      { sort: { timestamp: -1, _id: -1 }, limit: rememberedEvents, select: ['idempotencyKey'] },
    )
    const { boot, lastSignOfLifeAt } = device.document
    const state = new OrderedDevice(device, {
      aliveMs: lastSignOfLifeAt?.getTime(),
      boot: boot && { id: boot.id, startedMs: boot.startedAt.getTime(), runMs: boot.runMs ?? 0 },
      changes,
      keys: events.toReversed().map(({ idempotencyKey }) => idempotencyKey),
    })
    this.#known.set(key, { device, state })
    return state
  }

  get budget(): Budget {
    return { bytes: this.#bytes, maximumBytes }
  }

  /** Forgets the devices that were silent longest, as far as there are too many: what is known of them is in the database. */
  trim(): void {
    this.#bytes = [...this.#known.values()].reduce((bytes, { state }) => bytes + state.bytes, 0)
    for (const [key, { state }] of this.#known) {
      if (this.#bytes <= maximumBytes) break
      this.#known.delete(key)
      this.#bytes -= state.bytes
    }
  }

  /** Believes only what the database says, from now on. */
  forget(): void {
    this.#known.clear()
    this.#bytes = 0
  }

  async #changesOf(device: KnownDevice): Promise<Map<number, RelayChange[]>> {
    const changes = new Map<number, RelayChange[]>()
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
