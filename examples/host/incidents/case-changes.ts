import { type AutoVolt, validateData } from '@autovolt/data'
import { z } from 'zod'
import type { Visitor } from '../visitors.js'

const id = () => z.string().max(24)
const one = z.strictObject({ id: id() })
const moving = one.extend({
  to: z.enum(['open', 'in_progress', 'resolved', 'closed']),
  resolution: z.string().min(1).max(2_000).optional(),
})
const commenting = one.extend({ text: z.string().min(1).max(3_000) })

/**
 * What visitors do about alerts and cases. The library lets its own code change them, and has it name who does: so what a visitor
 * may not see is looked for first, by `volt.as(user)`, and is not found.
 */
export class CaseChanges {
  readonly #volt: AutoVolt

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  /** @throws NotFoundError for an alert that the visitor may not see; ConflictError if it is resolved. */
  async acknowledge(visitor: Visitor, body: unknown): Promise<void> {
    const alert = await visitor.volt.alerts.get(validateData(one, body, 'The request').id)
    await this.#volt.alerts.acknowledge(alert._id, { by: visitor.id })
  }

  /** Takes a case: it is the visitor's, and is being worked on. @throws as {@link acknowledge}, of cases. */
  async take(visitor: Visitor, body: unknown): Promise<void> {
    const { _id, status } = await visitor.volt.cases.get(validateData(one, body, 'The request').id)
    await this.#volt.cases.change(_id, { assignee: visitor.id }, { by: visitor.id })
    if (status === 'open') await this.#volt.cases.move(_id, 'in_progress', { by: visitor.id })
  }

  async move(visitor: Visitor, body: unknown): Promise<void> {
    const { id: given, to, resolution } = validateData(moving, body, 'The request')
    const { _id } = await visitor.volt.cases.get(given)
    await this.#volt.cases.move(_id, to, { by: visitor.id, ...(resolution !== undefined && { resolution }) })
  }

  async comment(visitor: Visitor, body: unknown): Promise<void> {
    const { id: given, text } = validateData(commenting, body, 'The request')
    const { _id } = await visitor.volt.cases.get(given)
    await this.#volt.cases.comment(_id, { author: visitor.id, text })
  }
}
