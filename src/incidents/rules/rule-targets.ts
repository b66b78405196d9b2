import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import type { AlertRule } from './alert-rule.js'

export interface RuleTargetEntities {
  readonly classrooms: Entity<Classroom>
  readonly devices: Entity<Device>
}

/** A device that rules are about. */
export interface RuleTarget {
  readonly device: ObjectId
  readonly classroom: ObjectId | undefined
  /** Of its site. */
  readonly timeZone: string
  readonly rules: readonly AlertRule[]
}

type Placed = Pick<Device, '_id' | 'classroom'>

/** Reads which devices rules are about. */
export class RuleTargets {
  readonly #devices: EntityCollection<Device>
  readonly #classrooms: EntityCollection<Classroom>

  constructor(database: Database, { devices, classrooms }: RuleTargetEntities) {
    this.#devices = database.of(devices)
    this.#classrooms = database.of(classrooms)
  }

  /** By the ids of the devices; without devices that no rule is about. */
  async find(rules: readonly AlertRule[]): Promise<Map<string, RuleTarget>> {
    if (rules.length === 0) return new Map()
    const found = await this.#devices
      .for('alertRules')
      .find<Placed>({ ...scopeOf(rules), deletedAt: null }, { projection: { classroom: 1 }, batchSize: 10_000 })
    const zones = await this.#classrooms.for('alertRules').find({}, { projection: { timeZone: 1 } })
    const zoneOf = new Map(zones.map(({ _id, timeZone }) => [_id.toHexString(), timeZone]))
    return new Map(
      found.map(({ _id: device, classroom }) => [
        device.toHexString(),
        {
          device,
          classroom,
          timeZone: zoneOf.get(classroom?.toHexString() ?? '') ?? 'UTC',
          rules: rules.filter((rule) => isAbout(rule, device, classroom)),
        },
      ]),
    )
  }
}

function scopeOf(rules: readonly AlertRule[]): object {
  const scopes = rules.map(({ device, classroom }) => {
    if (device !== undefined) return { _id: device }
    return classroom === undefined ? undefined : { classroom }
  })
  const some = scopes.filter((scope) => scope !== undefined)
  return some.length < scopes.length ? {} : { $or: some }
}

function isAbout({ device, classroom }: AlertRule, id: ObjectId, site: ObjectId | undefined): boolean {
  if (device?.equals(id) === false) return false
  return classroom === undefined || (site !== undefined && classroom.equals(site))
}
