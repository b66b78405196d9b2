import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Authentication } from '../devices/device.js'
import type { Credential } from './report.js'

/** Proof: what a device's messages are held against. */
export interface Proof {
  /** The device's secret in clear; undefined if it has none. */
  readonly secret: string | undefined
  /** The least that is taken. */
  readonly required: Authentication
}

/** Whether the credential proves that its message is the device's. Compares in constant time. */
export function isAuthentic(credential: Credential, { secret, required }: Proof): boolean {
  switch (credential.kind) {
    case 'none':
      return false
    case 'broker':
      return required === 'broker'
    case 'secret':
      return required !== 'signature' && secret !== undefined && equalsSecret(credential.secret, secret)
    case 'signature':
      return (
        secret !== undefined && equalsSecret(credential.signature.toLowerCase(), signatureOf(credential.signed, secret))
      )
  }
}

/** HMAC-SHA256 with the device's secret, in 64 hexadecimal digits. */
function signatureOf(signed: Uint8Array, secret: string): string {
  return createHmac('sha256', secret).update(signed).digest('hex')
}

/** Digests have one length, whatever the length of what was sent. */
function equalsSecret(given: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
}
