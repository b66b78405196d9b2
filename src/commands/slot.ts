import type { ObjectId } from 'mongodb'

/** How many parts the queue has. */
export const commandSlots = 64

/** The part of the queue that a device's commands are in: it spreads claims, so that two workers rarely want the same rows. */
export function slotOf(device: ObjectId): number {
  // The last bytes of an id count up in its process: as good a spread as a digest.
  const { id } = device
  return ((id[10] ?? 0) * 256 + (id[11] ?? 0)) % commandSlots
}
