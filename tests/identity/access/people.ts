import { ObjectId } from 'mongodb'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { User } from '../../../src/identity/user.js'
import { aClassroom, aDevice, anActivity, aUser } from '../../support/builders.js'
import type { Place, Role } from './table.js'

/** Rooms, and somebody to whom one of them is assigned. */
export interface Person {
  readonly user: User
  readonly assigned: ObjectId
  readonly elsewhere: ObjectId
  readonly other: User
}

export async function aPerson(volt: AutoVolt, role: Role): Promise<Person> {
  const [assigned, elsewhere] = await volt.classrooms.createMany([aClassroom(), aClassroom()])
  if (assigned === undefined || elsewhere === undefined) throw new Error('There are no rooms')
  const user = await volt.users.create(aUser({ role, assignedClassrooms: [assigned._id] }))
  const other = await volt.users.create(aUser({ role: 'student' }))
  return { user, other, assigned: assigned._id, elsewhere: elsewhere._id }
}

/** What makes a document in a place, by the entity; undefined where there is no such place. */
export const inputs: Readonly<Record<string, (person: Person, place: Place) => object | undefined>> = {
  users: (_, place) => (place === 'own' ? undefined : aUser({ role: place === 'assigned' ? 'faculty' : 'student' })),
  userPreferences: ({ user, other }, place) =>
    place === 'assigned' ? undefined : { user: place === 'own' ? user._id : other._id },
  classrooms: (_, place) => (place === 'elsewhere' ? aClassroom() : undefined),
  devices: ({ user, other, assigned, elsewhere }, place) =>
    aDevice({
      classroom: place === 'assigned' ? assigned : elsewhere,
      owner: place === 'own' ? user._id : other._id,
    }),
  schedules: ({ user, other, assigned, elsewhere }, place) => ({
    name: 'Morning',
    owner: place === 'own' ? user._id : other._id,
    target: { kind: 'classroom', id: place === 'assigned' ? assigned : elsewhere },
    rule: { type: 'time', at: '08:00' },
    action: { command: 'turn_on' },
  }),
  alertRules: ({ assigned, elsewhere }, place) =>
    place === 'own'
      ? undefined
      : {
          name: 'Hot',
          kind: 'over_temperature',
          severity: 'low',
          raiseAt: 30,
          classroom: place === 'assigned' ? assigned : elsewhere,
        },
  maintenanceWindows: ({ assigned, elsewhere }, place) =>
    place === 'own'
      ? undefined
      : {
          reason: 'New meters',
          from: new Date(0),
          until: new Date(1),
          classroom: place === 'assigned' ? assigned : elsewhere,
        },
  escalations: ({ user, elsewhere }, place) =>
    place === 'elsewhere'
      ? { name: 'All', classroom: elsewhere, minimumSeverity: 'low', steps: [{ afterMs: 0, users: [user._id] }] }
      : undefined,
  siteCalendars: ({ assigned, elsewhere }, place) =>
    place === 'own' ? undefined : { classroom: place === 'assigned' ? assigned : elsewhere },
}

/** A change that leaves a document where it is. */
export const changes: Readonly<Record<string, object>> = {
  users: { name: 'Another name' },
  userPreferences: { theme: 'dark' },
  classrooms: { capacity: 41 },
  devices: { name: 'Another name' },
  schedules: { name: 'Another name' },
  alertRules: { name: 'Another name' },
  maintenanceWindows: { reason: 'Another reason' },
  escalations: { name: 'Another name' },
  siteCalendars: { holidays: [] },
}

export const activityIn = (classroom: ObjectId) => ({ ...anActivity(), _id: new ObjectId(), classroom })
