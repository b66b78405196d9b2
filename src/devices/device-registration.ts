import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { ConflictError } from '../core/errors.js'
import { validateData } from '../core/validate.js'
import type { Device } from './device.js'
import { areSame } from './device-assignments.js'
import { macAddress } from './mac-address.js'

const identitySchema = z.object({ macAddress: macAddress().optional(), externalId: z.string().optional() })

/** What a device is known by. @throws ValidationError. */
export function identityOf(given: object): z.output<typeof identitySchema> {
  return validateData(identitySchema, given, 'The device')
}

/**
 * The device that is registered already, if it is the one that was given.
 * @param conflict What creating it has met.
 * @throws ConflictError if what it is known by is another device's, or that of two: then it names both.
 */
export function requireRegistered<Stored extends Device>(
  given: object & { readonly owner: ObjectId },
  { byAddress, byId }: { readonly byAddress: Stored | null; readonly byId: Stored | null },
  conflict: ConflictError,
): Stored {
  const { macAddress: address, externalId } = identityOf(given)
  const found = byAddress ?? byId
  const isSame =
    found !== null &&
    areSame(found.owner, given.owner) &&
    (address === undefined || byAddress?._id.equals(found._id) === true) &&
    (externalId === undefined || byId?._id.equals(found._id) === true)
  if (isSame) return found
  if (byAddress === null || byId === null || byAddress._id.equals(byId._id)) throw conflict
  const both = `${byAddress._id.toHexString()} and ${byId._id.toHexString()}`
  throw new ConflictError('CONFLICT', `The MAC address and the external id are those of two devices, ${both}`, {
    fields: ['macAddress', 'externalId'],
  })
}
