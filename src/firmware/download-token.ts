import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { ObjectId } from 'mongodb'

/** A download is for one device and one roll-out, until an instant. */
export interface DownloadRight {
  readonly rollout: ObjectId
  readonly device: ObjectId
  /** Epoch milliseconds. */
  readonly expiresMs: number
}

/** HMAC-SHA256 with the device's secret, in base64url. */
export function downloadToken({ rollout, device, expiresMs }: DownloadRight, secret: string): string {
  const text = ['autovolt-firmware-download', rollout.toHexString(), device.toHexString(), expiresMs].join('\n')
  return createHmac('sha256', secret).update(text).digest('base64url')
}

/** Whether the token gives the right; in constant time. */
export function isDownloadToken(token: string, right: DownloadRight, secret: string): boolean {
  const expected = downloadToken(right, secret)
  return timingSafeEqual(hash('sha256', token, 'buffer'), hash('sha256', expected, 'buffer'))
}
