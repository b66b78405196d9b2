/**
 * How a bcrypt hash looks. More than 15 rounds are refused: a stored hash decides on the work of comparing with it, and
 * one of 31 rounds would hold a thread for days.
 */
export const bcryptHash = /^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/

export const fewestRounds = 10
export const mostRounds = 15

/** The binary logarithm of the work that the hash was made with. */
export function roundsOf(hash: string): number {
  return Number(hash.slice(4, 6))
}
