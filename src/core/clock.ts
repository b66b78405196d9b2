/** Clock: where the time of day comes from. Every component takes one, so that tests and replays can set it. */
export interface Clock {
  now(): Date
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => new Date() }
