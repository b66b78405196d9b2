import { hash } from 'node:crypto'

/** In hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return hash('sha256', bytes)
}
