import { type Document, ObjectId } from 'mongodb'
import { compiled } from '../../../core/compiled-schema.js'
import { type ClassroomInput, classroomEntity } from '../../../devices/classroom.js'
import { type Mapped, Mapping } from './mapped.js'
import type { OriginIds } from './origin-ids.js'
import { given, isGiven, shownId, textOf, wholeNumberOf } from './values.js'

/** What the origin calls a room that is none. */
const noRoom = new Set(['', 'unassigned', 'general', 'system'])

/** The rooms of the origin: documents in its later versions, and names in devices in all of them. */
export class Rooms {
  readonly mapped: Mapped<ClassroomInput>
  /** Rooms that are only named by devices, those of them that are here already included. */
  readonly named: { readonly _id: ObjectId; readonly name: string }[] = []
  /** The name of the room of what has none. */
  readonly none: string
  readonly #timeZone: string
  readonly #byName = new Map<string, { readonly _id: ObjectId; readonly name: string }>()

  /** @param known Our rooms that are there already. */
  constructor(
    documents: readonly Document[],
    { timeZone, site }: { readonly timeZone: string; readonly site: string },
    known: readonly { readonly _id: ObjectId; readonly name: string }[],
    ids: OriginIds,
  ) {
    this.#timeZone = timeZone
    this.none = site
    this.mapped = mapClassrooms(documents, timeZone, ids)
    for (const room of known) this.#byName.set(keyOf(room.name), room)
    for (const { input } of this.mapped.inputs) {
      const room = { _id: input._id as ObjectId, name: input.name }
      this.#byName.set(keyOf(input.name), this.#byName.get(keyOf(input.name)) ?? room)
    }
  }

  /** The room that a document of the origin names; undefined if we have none of that name. */
  find(name: unknown): { readonly _id: ObjectId; readonly name: string } | undefined {
    return this.#byName.get(keyOf(this.#nameOf(name)))
  }

  /** As {@link find}, and made where there is none. */
  findOrName(name: unknown): { readonly _id: ObjectId; readonly name: string } {
    const room = this.find(name) ?? { _id: new ObjectId(), name: this.#nameOf(name) }
    const isListed = this.mapped.inputs.some(({ input }) => keyOf(input.name) === keyOf(room.name))
    if (!isListed && !this.named.some(({ _id }) => _id.equals(room._id))) this.named.push(room)
    this.#byName.set(keyOf(room.name), room)
    return room
  }

  /** The names of all rooms, by their ids. */
  names(): ReadonlyMap<string, string> {
    return new Map([...this.#byName.values()].map(({ _id, name }) => [_id.toHexString(), name]))
  }

  /** What is to be stored of a room that devices name. */
  inputOf({ _id, name }: { readonly _id: ObjectId; readonly name: string }): ClassroomInput {
    return { _id, name, timeZone: this.#timeZone }
  }

  /** Whether a room can have such a name; what is no room at all can. */
  isUsable(name: unknown): boolean {
    if (isGiven(name) && typeof name !== 'string') return false
    const input = { name: this.#nameOf(name), timeZone: this.#timeZone }
    return compiled(classroomEntity.inputSchema).safeParse(input).success
  }

  isNone(name: unknown): boolean {
    return this.#nameOf(name) === this.none
  }

  #nameOf(value: unknown): string {
    const text = textOf(value) ?? ''
    return noRoom.has(text.toLowerCase()) ? this.none : text
  }
}

function keyOf(name: string): string {
  return name.toLowerCase()
}

function mapClassrooms(documents: readonly Document[], timeZone: string, ids: OriginIds): Mapped<ClassroomInput> {
  const mapping = new Mapping('classrooms', classroomEntity.inputSchema)
  const byName = new Map<string, string>()
  for (const document of documents) {
    const { name: given_, building, floor, capacity } = document
    const [_id, name] = [ids.of(document), textOf(given_)]
    const other = name === undefined ? undefined : byName.get(keyOf(name))
    if (_id === undefined) mapping.leave(document, 'it has no id')
    else if (name === undefined) mapping.leave(document, 'no name')
    else if (other !== undefined) mapping.leave(document, `the name of ${other} in another spelling`)
    else {
      const whole = { ...given('floor', wholeNumberOf(floor)), ...given('capacity', wholeNumberOf(capacity)) }
      const isAdded = mapping.add(document, { _id, name, timeZone, ...given('building', textOf(building)), ...whole })
      if (!isAdded) continue
      byName.set(keyOf(name), shownId(_id))
      if (floor !== undefined && whole.floor !== floor) {
        const what = whole.floor === undefined ? 'is no whole number, and was left out' : 'was a text'
        mapping.note(document, `its floor ${what}`)
      }
    }
  }
  return mapping
}
