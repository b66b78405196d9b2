import type { ObjectId } from 'mongodb'

/** Some civil days of some classrooms. */
export class ClassroomDays {
  readonly #days = new Map<string, { readonly classroom: ObjectId; readonly days: Set<string> }>()

  add(classroom: ObjectId, day: string): void {
    const known = this.#days.get(classroom.toHexString()) ?? { classroom, days: new Set() }
    known.days.add(day)
    this.#days.set(classroom.toHexString(), known)
  }

  has(classroom: ObjectId, day: string): boolean {
    return this.#days.get(classroom.toHexString())?.days.has(day) ?? false
  }

  get isEmpty(): boolean {
    return this.#days.size === 0
  }

  /** Each classroom with its days, in order. */
  get byClassroom(): { readonly classroom: ObjectId; readonly days: readonly string[] }[] {
    return [...this.#days.values()].map(({ classroom, days }) => ({ classroom, days: [...days].sort() }))
  }
}
