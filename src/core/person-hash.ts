import { hash } from 'node:crypto'
import type { ObjectId } from 'mongodb'

/** What a person is known by once the id is gone: SHA-256 of the id, in hexadecimal. */
export function personHash(user: ObjectId): string {
  return hash('sha256', `autovolt-erased-person\n${user.toHexString()}`, 'hex')
}
