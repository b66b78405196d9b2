import { ObjectId as Id, type ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Entity } from '../../core/entity.js'
import { ValidationError, type ValidationIssue } from '../../core/errors.js'
import { objectId } from '../../core/fields.js'
import { parseInputs } from '../../core/repository/parse-inputs.js'
import { channelFields } from './channel.js'
import { dataTypeOf } from './data-type.js'
import type { DeviceProfile } from './device-profiles.js'
import { dataTypes, type EnergyMeasurement, givenQualities, measurementFields } from './measurement.js'

/** What a measurement is made of. What is left out of `data_type`, `site` and `owner` is what the device says. */
export const measurementInputSchema = z.strictObject({
  /** The id; a new one if left out. */
  _id: objectId().optional(),
  ...measurementFields,
  /** Which series it belongs to: device, channel and site. */
  meta: z.strictObject({
    ...channelFields,
    /** The classroom or other site. */
    site: objectId().optional(),
  }),
  /** What kind of value it is. @default as its fields say */
  data_type: z.enum(dataTypes).optional(),
  /** What the device says of its value. @default 'good' */
  quality: z.enum(givenQualities).default('good'),
})
export type MeasurementInput = z.input<typeof measurementInputSchema>
type Given = z.output<typeof measurementInputSchema>

/** @throws ValidationError with the issues of all of them, paths such as `2.power`. */
export function parseMeasurements(entity: Entity<EnergyMeasurement>, inputs: readonly unknown[]): Given[] {
  return parseInputs(entity, measurementInputSchema, inputs)
}

/**
 * The measurements with what their devices say.
 * @throws ValidationError where something is left out, and the device is not registered.
 */
export function completed(
  entity: Entity<EnergyMeasurement>,
  given: readonly Given[],
  profiles: ReadonlyMap<string, DeviceProfile>,
): EnergyMeasurement[] {
  const issues: ValidationIssue[] = []
  const documents = given.map((one, index) => {
    const profile = profiles.get(one.meta.device.toHexString())
    const data_type = one.data_type ?? (profile && dataTypeOf(profile.energyRole, one.power))
    const site: ObjectId | undefined = one.meta.site ?? profile?.classroom
    if (data_type === undefined) issues.push(unknownDevice(`${index}.data_type`))
    if (site === undefined) issues.push(unknownDevice(`${index}.meta.site`))
    const owner = one.meta.owner ?? profile?.owner
    const meta = { device: one.meta.device, switch: one.meta.switch, owner, site }
    return { ...one, _id: one._id ?? new Id(), meta, data_type } as EnergyMeasurement
  })
  if (issues.length > 0) throw new ValidationError(entity.name, issues)
  return documents
}

function unknownDevice(path: string): ValidationIssue {
  return { path, message: 'must be given, for the device is not registered', received: 'undefined' }
}
