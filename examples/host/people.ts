import type { AutoVolt, UserRole } from '@autovolt/data'

/** Somebody whom the page lets sign in. */
export interface Person {
  readonly email: string
  readonly name: string
  readonly role: UserRole
  /** The names of the rooms that are assigned. */
  readonly rooms: readonly string[]
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
]

/** No secret at all: the page shows it. A real service has no such users. */
export const sharedPassword = 'shown on the page'

/** Does no harm twice. */
export async function registerPeople(volt: AutoVolt): Promise<void> {
  for (const { email, name, role, rooms } of people) {
    const found = await Promise.all(rooms.map((room) => volt.classrooms.findOne({ name: room })))
    const assignedClassrooms = found.flatMap((room) => room?._id ?? [])
    const known = await volt.users.findByEmail(email)
    if (known === null) await volt.users.create({ email, name, role, assignedClassrooms, password: sharedPassword })
    else await volt.users.update(known._id, { assignedClassrooms })
  }
}
