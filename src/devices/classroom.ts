import { z } from 'zod'
import { defineEntity, type Entity, type Input, type Stored } from '../core/entity.js'
import { timeZone } from './time-zone.js'

/** A room, or any other place that energy is accounted for. */
export const classroomEntity = defineEntity({
  name: 'classroom',
  collection: 'classrooms',
  personal: {
    mentions: { in: ['name', 'building'], onErasure: 'replace' },
    notPersonal: ['floor', 'capacity', 'timeZone', 'tariff'],
  },
  fields: {
    /** Unique in the whole database, so that a room can be addressed by it alone: of two rooms 101, each says its building. */
    name: z.string().min(1).max(200),
    /** The building or site that it is in. */
    building: z.string().min(1).max(200).optional(),
    /** The storey; 0 is the ground floor. */
    floor: z.int().min(-20).max(200).optional(),
    /** How many people fit in. */
    capacity: z.int().min(0).max(100_000).optional(),
    /** The IANA zone that the room's days and hours are computed in. */
    timeZone: timeZone().default('UTC'),
    /** The name of the tariff that its energy costs by; `default` if left out. */
    tariff: z.string().min(1).max(100).optional(),
  },
  privileged: ['tariff'],
  softDelete: true,
  indexes: [
    { key: { name: 1 }, unique: true, serves: 'a classroom by name; a deleted one frees its name' },
    { key: { building: 1, name: 1, _id: 1 }, serves: 'the classrooms of a building by name' },
  ],
})

export type Classroom = Stored<typeof classroomEntity>
export type ClassroomInput = Input<typeof classroomEntity>
/** The type of {@link classroomEntity}, in few words. */
export type ClassroomEntity = Entity<Classroom, ClassroomInput>
