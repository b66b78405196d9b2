import type { ObjectId } from 'mongodb'
import { toObjectId } from '../core/fields.js'
import type { Reader } from '../core/repository/reader.js'
import type { Classroom } from './classroom.js'

export const hexadecimalId = /^[0-9a-fA-F]{24}$/

/** The id of a classroom that is named by it or by its name; undefined if there is none of the name. @throws ValidationError for what is neither. */
export async function classroomIdOf(
  classrooms: Reader<Classroom>,
  classroom: ObjectId | string,
): Promise<ObjectId | undefined> {
  const isId = typeof classroom !== 'string' || hexadecimalId.test(classroom)
  return isId ? toObjectId(classroom) : (await classrooms.findOne({ name: classroom }))?._id
}
