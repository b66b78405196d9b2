import type { AutoVolt, UserInput, UserRole } from '@autovolt/data'

/** Somebody whom the page lets sign in. */
export interface Person {
  readonly email: string
  readonly name: string
  readonly role: UserRole
  /** The names of the rooms that are assigned. */
  readonly rooms: readonly string[]
  /** What the user does with energy. */
  readonly userType?: UserInput['userType']
  /** The page that is theirs, where it is not the first one. */
  readonly home?: string
}

export const people: readonly Person[] = [
  { email: 'admin@school.example', name: 'Asha, administrator', role: 'admin', rooms: [] },
  {
    email: 'faculty@school.example',
    name: 'Ravi, physics teacher',
    role: 'faculty',
    rooms: ['Physics lab', 'Computer lab'],
  },
  { email: 'student@school.example', name: 'Meera, student', role: 'student', rooms: ['Physics lab'] },
  {
    email: 'neighbour@lake-road.example',
    name: 'Kiran, neighbour',
    role: 'user',
    rooms: [],
    userType: 'prosumer',
    home: '/neighbourhood.html',
  },
]

/** No secret at all: the page shows it. A real service has no such users. */
export const sharedPassword = 'shown on the page'

/** Does no harm twice. */
export async function registerPeople(volt: AutoVolt): Promise<void> {
  for (const { email, name, role, rooms, userType } of people) {
    const found = await Promise.all(rooms.map((room) => volt.classrooms.findOne({ name: room })))
    const assignedClassrooms = found.flatMap((room) => room?._id ?? [])
    const known = await volt.users.findByEmail(email)
    const user = { email, name, role, assignedClassrooms, ...(userType && { userType }) }
    if (known === null) await volt.users.create({ ...user, password: sharedPassword })
    else await volt.users.update(known._id, { assignedClassrooms })
  }
}
