import { randomBytes } from 'node:crypto'

/** What the head of an image says. */
export interface ImageHead {
  readonly version: string
  /** Free heap that it does not start without. */
  readonly neededHeapBytes: number
}

const imageBytes = 300_000

/** An image for simulated devices: a line of JSON, and bytes that nobody reads. */
export function simulatedImage(head: ImageHead): Buffer {
  const line = Buffer.from(`${JSON.stringify(head)}\n`)
  return Buffer.concat([line, randomBytes(imageBytes - line.length)])
}

export function headOf(image: Buffer): ImageHead {
  return JSON.parse(image.subarray(0, image.indexOf('\n')).toString()) as ImageHead
}
