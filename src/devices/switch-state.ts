import { z } from 'zod'
import { instant, objectId } from '../core/fields.js'
import { validateData } from '../core/validate.js'

const schema = z.strictObject({ device: objectId(), switchId: objectId(), state: z.boolean(), at: instant() })

/** The write that sets what a switch is known to be, unless something later is known. @throws ValidationError. */
export function switchStateChange(given: z.input<typeof schema>) {
  const { device, switchId, state, at } = validateData(schema, given, 'The state')
  const isOlder = { $not: { $gt: at } }
  return {
    filter: { _id: device, deletedAt: null, switches: { $elemMatch: { _id: switchId, stateAt: isOlder } } },
    update: { $set: { 'switches.$.state': state, 'switches.$.stateAt': at } },
  }
}
