import type { ObjectId } from 'mongodb'
import { ValidationError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'
import { where } from '../../core/repository/conditions.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Classroom } from '../../devices/classroom.js'

/** As many as a question may be about. */
const mostClassrooms = 1_000
const longestName = 200

/** Lets questions name classrooms as people do. Names are unique, of those that are deleted the newest is meant. */
export class ClassroomNames {
  readonly #classrooms: Reader<Classroom>

  constructor(classrooms: Reader<Classroom>) {
    this.#classrooms = classrooms
  }

  /**
   * The question with ids in place of names. What is no question otherwise stays as it is.
   * @throws ValidationError for what is neither an id nor the name of a classroom.
   */
  async resolve<Question>(question: Question): Promise<Question> {
    const given: unknown = isRecord(question) ? question.classrooms : undefined
    if (!Array.isArray(given) || given.length > mostClassrooms || !given.some(isName)) return question
    const ids = new Map<string, ObjectId>()
    const filter = { name: where.in(given.filter(isName)) }
    for await (const { _id, name } of this.#classrooms.stream(filter, { withDeleted: true, sort: { _id: 1 } })) {
      ids.set(name, _id)
    }
    for await (const { _id, name } of this.#classrooms.stream(filter)) ids.set(name, _id)
    const classrooms = given.map((one, at) => {
      const id = isName(one) ? ids.get(one) : one
      if (id !== undefined) return id
      const message = 'is neither an id nor the name of a classroom'
      throw new ValidationError('The question', [{ path: `classrooms.${at}`, message, received: 'string' }])
    })
    return { ...question, classrooms }
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestName && !/^[0-9a-f]{24}$/i.test(value)
}
