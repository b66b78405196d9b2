import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../core/collection/entity-collection.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import type { Classroom } from '../devices/classroom.js'
import type { Device } from '../devices/device.js'
import type { OccurrenceSite } from './occurrences.js'
import type { Schedule } from './schedule.js'
import type { SiteCalendar } from './site-calendar.js'

/** The entities that say where and when schedules run. */
export interface SiteEntities {
  readonly classrooms: Entity<Classroom>
  readonly devices: Entity<Device>
  readonly siteCalendars: Entity<SiteCalendar>
}

/** A site as schedules need it. */
export interface ScheduleSite extends OccurrenceSite {
  readonly classroom: ObjectId
  /** Another one where any of it has changed, or the rules of time zones of this platform have. */
  readonly basis: string
}

/** The site of a target, and the device that this is, or is on. */
export interface TargetSite extends ScheduleSite {
  readonly device: ObjectId | undefined
}

type Target = Schedule['target']

/** Reads sites, those of many schedules at once. */
export class ScheduleSites {
  readonly #classrooms: EntityCollection<Classroom>
  readonly #devices: EntityCollection<Device>
  readonly #calendars: EntityCollection<SiteCalendar>

  constructor(database: Database, { classrooms, devices, siteCalendars }: SiteEntities) {
    this.#classrooms = database.of(classrooms)
    this.#devices = database.of(devices)
    this.#calendars = database.of(siteCalendars)
  }

  /** The sites of targets, by the targets' ids; without those of targets that are not there any more. */
  async ofTargets(targets: readonly Target[]): Promise<Map<string, TargetSite>> {
    const idsOf = (kind: Target['kind']) => targets.filter((target) => target.kind === kind).map(({ id }) => id)
    const classroomOf = new Map(idsOf('classroom').map((id) => [id.toHexString(), id]))
    const deviceOf = new Map<string, ObjectId>()
    const [devices, switches] = [idsOf('device'), idsOf('switch')]
    const projection = { classroom: 1, 'switches._id': 1 }
    for (const filter of [{ _id: { $in: devices } }, { 'switches._id': { $in: switches } }]) {
      if (devices.length + switches.length === 0) continue
      const found = await this.#devices.find<Device>({ ...filter, deletedAt: null }, { projection })
      for (const { _id, classroom, switches: own } of found)
        for (const id of [_id, ...own.map((one) => one._id)]) {
          if (classroom !== undefined) classroomOf.set(id.toHexString(), classroom)
          deviceOf.set(id.toHexString(), _id)
        }
    }
    const sites = await this.find([...classroomOf.values()])
    const ofTarget = targets.flatMap(({ id }) => {
      const site = sites.get(classroomOf.get(id.toHexString())?.toHexString() ?? '')
      const device = deviceOf.get(id.toHexString())
      return site === undefined ? [] : [[id.toHexString(), { ...site, device }] as const]
    })
    return new Map(ofTarget)
  }

  /** The sites that there are of these, by their ids. */
  async find(ids: readonly ObjectId[]): Promise<Map<string, ScheduleSite>> {
    const projection = { timeZone: 1 }
    const classrooms = await this.#classrooms.find({ _id: { $in: ids }, deletedAt: null }, { projection })
    const found = await this.#calendars.find({ classroom: { $in: ids } })
    const calendars = new Map(found.map((calendar) => [calendar.classroom.toHexString(), calendar]))
    return new Map(
      classrooms.map(({ _id, timeZone }) => [
        _id.toHexString(),
        siteOf(_id, timeZone, calendars.get(_id.toHexString())),
      ]),
    )
  }
}

function siteOf(classroom: ObjectId, timeZone: string, calendar: SiteCalendar | undefined): ScheduleSite {
  const version = calendar === undefined ? 'none' : `${calendar._id.toHexString()}.${calendar.__v}`
  return {
    classroom,
    timeZone,
    place: calendar?.place,
    holidays: new Set(calendar?.holidays.map(({ date }) => date)),
    basis: `${timeZone} ${process.versions.tz} ${version}`,
  }
}
