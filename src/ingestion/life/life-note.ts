import { gapsBetween, type LifeGap, type LifeSpan } from './life-span.js'

/** What the ledger has to record of a device's signs of life: an entry for each of its rated switches. */
export interface LifeNote {
  readonly atMs: number
  readonly boot: string | undefined
  /** The last sign of life before, where there was a silence or a restart between. */
  readonly silentSinceMs: number | undefined
  readonly isRestart: boolean
}

/**
 * What the ledger has to know once spans have grown, so that its silences and restarts are the gaps between them. As long as
 * a device goes on without a silence that is nothing. Entries are never taken back: a silence that was noted is cut by
 * signs of life within it, see `ratedStretches`.
 */
export function notesOf(before: readonly LifeSpan[], after: readonly LifeSpan[]): LifeNote[] {
  const [known, now] = [gapsBetween(before), gapsBetween(after)]
  const added = now.filter((gap) => !known.some((other) => areSame(gap, other)))
  const removed = known.filter((gap) => !now.some((other) => areSame(gap, other)))
  const starts = new Map(now.map((gap) => [gap.toMs, gap]))
  const notes = new Map<string, LifeNote>()
  const note = (one: LifeNote) => notes.set(keyOfNote(one), one)
  for (const { fromMs, toMs, isRestart, boot } of added) note({ atMs: toMs, boot, isRestart, silentSinceMs: fromMs })
  for (const gap of removed) {
    // Where the last of the spans within ends, what was noted of the end of the gap begins.
    for (const { toMs: atMs, boot } of after) {
      if (atMs > gap.fromMs && atMs < gap.toMs && !starts.has(atMs)) note(aliveAt(atMs, boot))
    }
    if (!starts.has(gap.toMs)) note(aliveAt(gap.toMs, gap.boot))
  }
  return [...notes.values()]
}

/** Of notes of one instant the one with the shortest silence comes first, and the others say nothing more then. */
export function keyOfNote({ atMs, boot, silentSinceMs = atMs, isRestart }: LifeNote): string {
  const silence = (atMs - silentSinceMs).toString(36).padStart(9, '0')
  return isRestart ? `restart:${boot}:${atMs.toString(36)}:${silence}` : `alive:${atMs.toString(36)}:${silence}`
}

function aliveAt(atMs: number, boot: string | undefined): LifeNote {
  return { atMs, boot, silentSinceMs: undefined, isRestart: false }
}

function areSame(a: LifeGap, b: LifeGap): boolean {
  return a.fromMs === b.fromMs && a.toMs === b.toMs && a.isRestart === b.isRestart && a.boot === b.boot
}
