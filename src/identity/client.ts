import { z } from 'zod'
import { validateData } from '../core/validate.js'

const longestUserAgent = 512

/** The client that a sign-in comes from, as far as the host knows it. */
export interface Client {
  /** The address that the request came from. Behind a proxy only the host knows the true one. */
  readonly ip?: string | undefined
  /** The header `User-Agent`; what is longer than 512 characters is cut off. */
  readonly userAgent?: string | undefined
  /** What the host knows the device by. */
  readonly fingerprint?: string | undefined
}

/** The fields as they are stored. */
export const clientFields = () =>
  z.strictObject({
    ip: z
      .string()
      .regex(/^[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,20})?$/, { error: 'expected an IP address' })
      .optional(),
    userAgent: z.string().max(longestUserAgent).optional(),
    fingerprint: z.string().min(1).max(256).optional(),
  })

/** A client as a host describes it. */
export const clientSchema = clientFields().extend({
  userAgent: z
    .string()
    .transform((text) => text.slice(0, longestUserAgent))
    .optional(),
})

/** @throws ValidationError for what describes no client. */
export function clientOf(client: Client): z.output<typeof clientSchema> {
  return validateData(clientSchema, client, 'The client')
}
