import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import { ValidationError } from '../../core/errors.js'
import type { Device } from '../../devices/device.js'
import type { AnyUser } from '../../identity/user.js'
import type { OrderSide, OrderSource } from './order.js'
import type { ParsedOrder } from './order-input.js'

export interface TraderEntities {
  readonly users: Entity<AnyUser>
  readonly devices: Entity<Device>
}

/** What somebody may do in the market. */
interface Trader {
  readonly userType: AnyUser['userType']
  /** Whether a device of theirs has shown who it is: of another energy nothing would prove what was used. */
  readonly hasDevice: boolean
  /** What they can sell from; undefined where nothing produces or stores. */
  readonly source: OrderSource | undefined
}

type OwnDevice = Pick<Device, 'owner' | 'type' | 'energyRole'>

const sellers: readonly string[] = ['producer', 'prosumer']
const buyers: readonly string[] = ['consumer', 'prosumer']
const solarTypes: readonly string[] = ['solar_panel', 'solar_inverter']

/** Who may buy and sell: by the user's type, and by devices of theirs that are in use and have shown who they are. */
export class Eligibility {
  readonly #users: EntityCollection<AnyUser>
  readonly #devices: EntityCollection<Device>

  constructor(database: Database, { users, devices }: TraderEntities) {
    this.#users = database.of(users)
    this.#devices = database.of(devices)
  }

  /**
   * What the sellers among the orders sell from, by the ids of users.
   * @throws ValidationError for orders of users that may not place them, all of them.
   */
  async sourcesOf(orders: readonly ParsedOrder[]): Promise<ReadonlyMap<string, OrderSource | undefined>> {
    const ids = [...new Map(orders.map(({ user }) => [user.toHexString(), user])).values()]
    const traders = await this.#traders(ids)
    const issues = orders.flatMap(({ user, side }, at) => {
      const message = refusalOf(side, traders.get(user.toHexString()))
      const path = orders.length === 1 ? 'user' : `${at}.user`
      return message === undefined ? [] : [{ path, message, received: 'objectId' }]
    })
    if (issues.length > 0) throw new ValidationError('The order', issues)
    return new Map([...traders].map(([id, { source }]) => [id, source]))
  }

  async #traders(ids: readonly ObjectId[]): Promise<Map<string, Trader>> {
    const [users, devices] = [
      await this.#users
        .for('market')
        .find<Pick<AnyUser, '_id' | 'userType'>>(
          { _id: { $in: ids }, status: 'active', deletedAt: null },
          { projection: { userType: 1 } },
        ),
      await this.#devices
        .for('market')
        .find<OwnDevice>(
          { owner: { $in: ids }, service: 'active', deletedAt: null, lastSignOfLifeAt: { $type: 'date' } },
          { projection: { _id: 0, owner: 1, type: 1, energyRole: 1 } },
        ),
    ]
    const devicesOf = new Map<string, OwnDevice[]>()
    for (const device of devices) {
      const owner = device.owner?.toHexString() ?? ''
      devicesOf.set(owner, [...(devicesOf.get(owner) ?? []), device])
    }
    return new Map(
      users.map(({ _id, userType }) => {
        const own = devicesOf.get(_id.toHexString()) ?? []
        return [_id.toHexString(), { userType, hasDevice: own.length > 0, source: sourceOf(own) }]
      }),
    )
  }
}

function sourceOf(devices: readonly OwnDevice[]): OrderSource | undefined {
  const producing = devices.filter(({ energyRole }) => energyRole === 'production')
  const storage = devices.some(({ energyRole }) => energyRole === 'storage')
  if (producing.length === 0 && !storage) return undefined
  return { renewable: producing.length > 0 && producing.every(({ type }) => solarTypes.includes(type)), storage }
}

function refusalOf(side: OrderSide, trader: Trader | undefined): string | undefined {
  if (trader === undefined) return 'expected an active user'
  const allowed = side === 'buy' ? buyers : sellers
  if (!allowed.includes(trader.userType)) return `expected a ${allowed.join(' or a ')}, who may ${side}`
  if (!trader.hasDevice) return 'expected a user with a device that is in use and has shown who it is'
  if (side === 'sell' && trader.source === undefined) return 'expected a user with a device that produces or stores'
  return undefined
}
