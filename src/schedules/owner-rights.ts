import type { ObjectId } from 'mongodb'
import { forEachConcurrently } from '../core/for-each-concurrently.js'
import type { Schedule } from './schedule.js'
import type { TargetSite } from './schedule-sites.js'

/** What users may control, as far as schedules have to know. */
export interface ControlRights {
  /** Those of the devices that the user may control; none of them for a user who is not active. */
  devicesUnderControl(user: ObjectId, devices: readonly ObjectId[]): Promise<readonly ObjectId[]>
  /** Those of the classrooms of which the user may control every device. */
  classroomsUnderControl(user: ObjectId, classrooms: readonly ObjectId[]): Promise<readonly ObjectId[]>
}

/** Gives the rights, once the handle knows them. Until then nobody has one. */
export type Rights = () => ControlRights | undefined

export const notUnderControl = 'its owner may not control its target'

/** Many schedules that are due at once have many owners, and each of them is asked about. */
const ownersAtOnce = 8

interface Owned {
  readonly schedule: Schedule
  readonly site: TargetSite
}

/** The schedules whose owners may not control their targets. Those without an owner are the host's own. */
export async function outOfControl<One extends Owned>(
  planned: readonly One[],
  rights: ControlRights | undefined,
): Promise<Set<One>> {
  const refused = new Set<One>()
  const owned = new Map<string, { readonly owner: ObjectId; readonly theirs: One[] }>()
  for (const one of planned) {
    const { owner } = one.schedule
    if (owner === undefined) continue
    const group = owned.get(owner.toHexString()) ?? { owner, theirs: [] }
    group.theirs.push(one)
    owned.set(owner.toHexString(), group)
  }
  await forEachConcurrently(owned.values(), ownersAtOnce, async ({ owner, theirs }) => {
    const allowed = rights === undefined ? new Set() : await underControl(owner, theirs, rights)
    for (const one of theirs) if (!allowed.has(placeOf(one).toHexString())) refused.add(one)
  })
  return refused
}

async function underControl(owner: ObjectId, owned: readonly Owned[], rights: ControlRights): Promise<Set<string>> {
  const rooms = owned.filter(isOfRoom).map(placeOf)
  const devices = owned.filter((one) => !isOfRoom(one)).map(placeOf)
  const allowed = [
    ...(devices.length === 0 ? [] : await rights.devicesUnderControl(owner, devices)),
    ...(rooms.length === 0 ? [] : await rights.classroomsUnderControl(owner, rooms)),
  ]
  return new Set(allowed.map((id) => id.toHexString()))
}

function isOfRoom({ schedule }: Owned): boolean {
  return schedule.target.kind === 'classroom'
}

/** The device or classroom that is asked about. */
function placeOf({ schedule, site }: Owned): ObjectId {
  return isOfRoom({ schedule, site }) ? schedule.target.id : (site.device ?? schedule.target.id)
}
