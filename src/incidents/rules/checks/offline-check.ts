import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../../core/collection/entity-collection.js'
import type { Database } from '../../../core/database.js'
import type { Entity } from '../../../core/entity.js'
import type { Device } from '../../../devices/device.js'
import type { AlertRule } from '../alert-rule.js'
import type { RuleTargets } from '../rule-targets.js'
import type { FoundState, StateCheck } from './state-check.js'

type Seen = Pick<Device, '_id' | 'name' | 'status' | 'lastSeenAt'>

const projection = { name: 1, status: 1, lastSeenAt: 1 }

/**
 * Devices that say nothing. That a device is offline the broker says, or the sweep of silent devices, which knows when it was ingestion that was
 * away. The time follows from when the device was seen last, so one silence is one alert whoever looks.
 */
export class OfflineCheck implements StateCheck {
  readonly #devices: EntityCollection<Device>
  readonly #targets: RuleTargets

  constructor(database: Database, devices: Entity<Device>, targets: RuleTargets) {
    this.#devices = database.of(devices).for('alertRules')
    this.#targets = targets
  }

  async find(rule: AlertRule, nowMs: number): Promise<FoundState[]> {
    const targets = await this.#targets.find([rule])
    const offline = await this.#devices.find<Seen>({ status: 'offline', deletedAt: null }, { projection })
    return offline.flatMap(({ _id, name, lastSeenAt }) => {
      const target = targets.get(_id.toHexString())
      if (target === undefined || lastSeenAt === undefined) return []
      if (nowMs - lastSeenAt.getTime() < rule.holdMs) return []
      return [
        {
          subject: _id.toHexString(),
          // After the device was seen: at that time the silence before was over.
          at: new Date(lastSeenAt.getTime() + Math.max(1, rule.holdMs)),
          message: `${name} was last seen at ${lastSeenAt.toISOString()}`,
          device: _id,
          classroom: target.classroom,
          timeZone: target.timeZone,
        },
      ]
    })
  }

  async overAt(device: ObjectId): Promise<Date | undefined> {
    const found = await this.#devices.findOne<Seen>({ _id: device }, { projection })
    return found?.status === 'online' ? found.lastSeenAt : undefined
  }
}
