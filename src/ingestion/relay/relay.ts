/** A change of a relay's state that is known, and so has an entry in the ledger. */
export interface RelayChange {
  /** When it happened; of a snapshot, when that came. */
  readonly atMs: number
  readonly on: boolean
  /** Read off a snapshot: an event about the same press may still come. */
  readonly isSnapshot: boolean
}

/** What is known of a relay. */
export interface Relay {
  /** The last changes, in the order of time. */
  readonly changes: readonly RelayChange[]
  /** Those read off snapshots, in the order of arrival, that no event has reported, since the last event. */
  readonly unclaimed: readonly RelayChange[]
}

/** An event: the relay was moved, by the wall switch or a command. */
export interface Press {
  readonly on: boolean
  /** By the device's own clock, as far as it has one. */
  readonly atMs: number
  readonly arrivalMs: number
  /** How far `atMs` may be wrong, ms. */
  readonly uncertaintyMs: number
  /** A press shows in a snapshot no later than this after it, ms, as long as nothing is held up. */
  readonly shownWithinMs: number
}

/** What a message comes to: the relay as it is known then, and the change if it shows one that was not known. */
export interface Shown {
  readonly relay: Relay
  readonly change: RelayChange | undefined
}

const rememberedChanges = 16

/** A relay with changes that are in the ledger, in the order of time; those that change nothing are left out. */
export function relayOf(states: readonly RelayChange[]): Relay {
  const changes = states.filter(({ on }, at) => on !== states[at - 1]?.on)
  const lastEvent = changes.findLastIndex(({ isSnapshot }) => !isSnapshot)
  return { changes, unclaimed: changes.slice(lastEvent + 1) }
}

/** What the relay is believed to be. */
export function stateOf({ changes }: Relay): boolean | undefined {
  return changes.at(-1)?.on
}

/** What the relay was at a time, as far as that is remembered. */
export function stateAt({ changes }: Relay, atMs: number): boolean | undefined {
  return changes.findLast((change) => change.atMs <= atMs)?.on
}

/** The instant, or the first one after the last change: what arrives later has happened later. */
function afterLastChange({ changes }: Relay, atMs: number): number {
  const last = changes.at(-1)
  return last === undefined ? atMs : Math.max(atMs, last.atMs + 1)
}

/** The relay with a change that is known otherwise, as from a restart. */
export function withChange({ changes, unclaimed }: Relay, change: RelayChange): Relay {
  const at = changes.findLastIndex((other) => other.atMs <= change.atMs) + 1
  return {
    changes: [...changes.slice(0, at), change, ...changes.slice(at)].slice(-rememberedChanges),
    // A later event has come: those before it cannot be claimed any more.
    unclaimed: change.isSnapshot ? [...unclaimed, change].slice(-rememberedChanges) : [],
  }
}

/** A snapshot of the present: a change if it differs from what is believed. */
export function takeSnapshot(relay: Relay, on: boolean, arrivalMs: number): Shown {
  if (stateOf(relay) === on) return { relay, change: undefined }
  return changed(relay, { atMs: afterLastChange(relay, arrivalMs), on, isSnapshot: true })
}

/** A snapshot that came long ago, and is replayed. */
export function takePastSnapshot(relay: Relay, on: boolean, arrivalMs: number): Shown {
  if (stateAt(relay, arrivalMs) === on) return { relay, change: undefined }
  return changed(relay, { atMs: arrivalMs, on, isSnapshot: true })
}

/**
 * An event, in the order in which the device sent it. It reports a change that a snapshot has shown before, or else it is a
 * press of its own if the relay was believed to be in the other state.
 */
export function takePress(relay: Relay, press: Press): Shown {
  const { changes, unclaimed } = relay
  const claimed = unclaimed.findIndex((change, at) => isOf(press, change, unclaimed[at + 1]))
  if (claimed >= 0) return { relay: { changes, unclaimed: unclaimed.slice(claimed + 1) }, change: undefined }
  if (stateOf(relay) === press.on) return { relay, change: undefined }
  return changed(relay, { atMs: afterLastChange(relay, press.atMs), on: press.on, isSnapshot: false })
}

/**
 * An event that comes after others that the device sent later, or is replayed: the changes around its time tell whether it is
 * known.
 */
export function takePastPress(relay: Relay, { on, atMs, shownWithinMs }: Press): Shown {
  const next = relay.changes.find((change) => change.atMs > atMs)
  if (stateAt(relay, atMs) === on) return { relay, change: undefined }
  const isShownNext = next?.isSnapshot === true && next.on === on && next.atMs - atMs <= shownWithinMs
  const unclaimed = isShownNext ? relay.unclaimed.filter((change) => change !== next) : relay.unclaimed
  if (isShownNext) return { relay: { ...relay, unclaimed }, change: undefined }
  const { relay: after, change } = changed(relay, { atMs, on, isSnapshot: false })
  return { relay: { ...after, unclaimed }, change }
}

function changed(relay: Relay, change: RelayChange): Shown {
  return { relay: withChange(relay, change), change }
}

/**
 * Whether the event is about the press that a snapshot has shown.
 *
 * A device sends in order. Once a snapshot has shown the other state again, an event that comes is about a later press: the
 * first one's event was lost. Only one that its clock places clearly beside the first snapshot, and that came clearly later
 * than the second, was held up alone: what a connection holds up it delivers together.
 */
function isOf(press: Press, shown: RelayChange, next: RelayChange | undefined): boolean {
  if (shown.on !== press.on) return false
  if (next === undefined) return true
  const { atMs, arrivalMs, uncertaintyMs } = press
  const apartMs = Math.abs(shown.atMs - atMs) + 2 * uncertaintyMs
  return atMs <= shown.atMs + uncertaintyMs && next.atMs - atMs > apartMs && arrivalMs - next.atMs > apartMs
}
