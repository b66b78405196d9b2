/** Known runs: what is remembered of the runs of a device that names them. */
export interface KnownRuns {
  /** The run that it is in; undefined before its first message. */
  readonly current: KnownRun | undefined
  /** Runs that others have followed, the latest last. */
  readonly past: readonly string[]
}

export interface KnownRun {
  readonly boot: string
  /** The largest number of a run that the device has shown. It never goes back. */
  readonly number: number | undefined
  /** The largest numbers of messages that were taken, ascending. */
  readonly sequences: readonly number[]
  /** The latest time of a message that was taken: its own, or that of its arrival. */
  readonly latestMs: number
  /** The largest number of a connection that the device has shown. */
  readonly connection: number | undefined
}

/** Claim: what a message says of when it was sent. */
export interface Claim {
  readonly boot: string | undefined
  /** The number of the run, which grows with each start. */
  readonly run: number | undefined
  readonly sequence: number | undefined
  readonly connection: number | undefined
  /** By the device's own clock, if it is credible. */
  readonly ownMs: number | undefined
  readonly arrivalMs: number
  /** Whether who sent it now is the device, as the broker vouches: a signature may have been recorded. */
  readonly isVouched: boolean
}

/**
 * How fresh a message is.
 *
 * - `present`: it is new, and of the present run: it shows how the device is now.
 * - `past`: with a time of its own it is a fact of that time, whenever it comes. It shows nothing of the present.
 * - `repeated`: it was taken.
 * - `not_fresh`: nothing shows when it was sent: it may have been recorded, or held up.
 */
export type Freshness = 'present' | 'past' | 'repeated' | 'not_fresh'

const rememberedRuns = 64
const rememberedSequences = 32

export function freshnessOf({ current, past }: KnownRuns, claim: Claim): Freshness {
  const { boot, sequence, ownMs, isVouched } = claim
  const otherwise = ownMs === undefined ? 'not_fresh' : 'past'
  if (boot === undefined || sequence === undefined) return isVouched ? 'present' : otherwise
  if (past.includes(boot)) return otherwise
  if (boot !== current?.boot) return beginsRun(current, claim) ? 'present' : otherwise
  if (sequence > (current.sequences.at(-1) ?? -1)) return 'present'
  return ownMs === undefined && current.sequences.includes(sequence) ? 'repeated' : otherwise
}

/** Whether a last will is that of the connection that the device has now, as far as both say. */
export function isPresentWill({ current, past }: KnownRuns, { boot, connection, isVouched }: Claim): boolean {
  if (boot === undefined) return isVouched
  if (past.includes(boot)) return false
  if (boot !== current?.boot) return isVouched
  return current.connection === undefined || connection === current.connection
}

/** What is known with a message that is `present`. */
export function withMessage(known: KnownRuns, claim: Claim): KnownRuns {
  const { boot, sequence, run, ownMs, arrivalMs, connection } = claim
  if (boot === undefined || sequence === undefined) return known
  const { current, past } = known
  const latestMs = Math.max(ownMs ?? arrivalMs, current?.latestMs ?? 0)
  const number = largest(current?.number, run)
  if (current?.boot !== boot) {
    const followed = current === undefined ? past : [...past, current.boot].slice(-rememberedRuns)
    return { current: { boot, number, sequences: [sequence], latestMs, connection }, past: followed }
  }
  const sequences = [...current.sequences, sequence].slice(-rememberedSequences)
  return { current: { boot, number, sequences, latestMs, connection: largest(current.connection, connection) }, past }
}

/** Whether a run that is not known is the next one: by its number, by the device's clock, or because nobody else can say so. */
function beginsRun(current: KnownRun | undefined, { run, ownMs, isVouched }: Claim): boolean {
  if (run !== undefined && run > (current?.number ?? -1)) return true
  return ownMs === undefined ? isVouched : ownMs >= (current?.latestMs ?? 0)
}

function largest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
