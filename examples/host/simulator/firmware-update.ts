import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { headOf, type ImageHead } from './firmware-image.js'

/** The offer of a firmware, as version 2 has it. */
export const firmwareOffer = z.object({
  rollout: z.string(),
  version: z.string(),
  board: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  url: z.url({ protocol: /^https?$/ }),
})
export type FirmwareOffer = z.output<typeof firmwareOffer>

/** Bytes that a device asks for at once: its memory is small, and a connection may be cut. */
const partBytes = 65_536
const attempts = 5

/**
 * Downloads an image in parts, and verifies it as docs/mqtt.md says.
 * @throws Error with the reason that the device reports.
 */
export async function download({ url, bytes, sha256 }: FirmwareOffer, signal: AbortSignal): Promise<ImageHead> {
  const parts: Buffer[] = []
  for (let from = 0; from < bytes; from += partBytes)
    parts.push(await part(url, from, Math.min(from + partBytes, bytes) - 1, signal))
  const image = Buffer.concat(parts)
  if (createHash('sha256').update(image).digest('hex') !== sha256) throw new Error('sha256 differs')
  return headOf(image)
}

async function part(url: string, from: number, to: number, signal: AbortSignal): Promise<Buffer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { headers: { range: `bytes=${from}-${to}` }, signal })
      if (response.status !== 206) throw new Error(`the server answers ${response.status}`)
      return Buffer.from(await response.arrayBuffer())
    } catch (error) {
      if (signal.aborted || attempt === attempts) throw error
      await sleep(200 * attempt)
    }
  }
}
