/** The market's grid of time: windows begin and end at quarter hours of UTC. */
export const slotMs = 900_000
/** A week. */
export const longestWindowMs = 7 * 86_400_000

/** The first quarter hour that begins now or later: what is matched now is delivered from then on. */
export function nextSlotMs(atMs: number): number {
  return Math.ceil(atMs / slotMs) * slotMs
}

export function isOnGrid(date: Date): boolean {
  return date.getTime() % slotMs === 0
}
