import { type AutoVolt, type Occurrence, type ScheduleInput, validateData } from '@autovolt/data'
import { z } from 'zod'
import type { Visitor } from './visitors.js'

const target = z.strictObject({ kind: z.enum(['switch', 'device', 'classroom']), id: z.string().max(24) })
const draft = z.strictObject({
  name: z.string().max(200),
  target,
  rule: z.record(z.string().max(20), z.unknown()),
  command: z.enum(['turn_on', 'turn_off']),
})
const one = z.strictObject({ id: z.string().max(24) })
const enabling = one.extend({ enabled: z.boolean() })

const shownRuns = 5

/** What visitors do with schedules. What a schedule is checked for the library says. */
export class ScheduleChanges {
  readonly #volt: AutoVolt

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  /** The next runs of a schedule that is being made. @throws ValidationError, AccessDeniedError, NotFoundError. */
  async preview(visitor: Visitor, body: unknown): Promise<Occurrence[]> {
    return this.#volt.schedules.preview(await this.#inputOf(visitor, body), shownRuns)
  }

  /** Creates one that belongs to the visitor. @throws as {@link preview}. */
  async create(visitor: Visitor, body: unknown): Promise<{ readonly id: string }> {
    const input = await this.#inputOf(visitor, body)
    const { _id } = await this.#volt.schedules.create({ ...input, owner: visitor.id })
    return { id: _id.toHexString() }
  }

  /** Switches one of the visitor's on or off. @throws AccessDeniedError for another's. */
  async enable(visitor: Visitor, body: unknown): Promise<void> {
    const { id, enabled } = validateData(enabling, body, 'The request')
    await visitor.volt.schedules.update(id, { enabled })
  }

  async remove(visitor: Visitor, body: unknown): Promise<void> {
    await visitor.volt.schedules.delete(validateData(one, body, 'The request').id)
  }

  /** A schedule moves what its target is: so only who may switch all of that may make one. */
  async #inputOf(visitor: Visitor, body: unknown): Promise<ScheduleInput> {
    const { name, target: given, rule, command } = validateData(draft, body, 'The schedule')
    for (const id of await this.#devicesOf(given)) await visitor.volt.require('control', 'devices', id)
    return { name, target: given, rule: rule as ScheduleInput['rule'], action: { command } }
  }

  async #devicesOf({ kind, id }: z.output<typeof target>) {
    const { devices } = this.#volt
    if (kind === 'classroom') return (await devices.find({ classroom: id }, { limit: 1_000 })).map(({ _id }) => _id)
    if (kind === 'device') return [id]
    const device = await devices.findBySwitch(id)
    return device === null ? [] : [device._id]
  }
}
