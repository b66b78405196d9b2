/** A stretch of time in which a device showed signs of life, in one of its runs, without a silence. */
export interface LifeSpan {
  readonly fromMs: number
  readonly toMs: number
  /** The run of the device; undefined where it does not name its runs. */
  readonly boot: string | undefined
}

/** An instant at which a device was alive. */
export interface LifeSign {
  readonly atMs: number
  readonly boot: string | undefined
}

/** The time between two spans: a silence, or a restart where the run is another one. */
export interface LifeGap {
  /** The last sign of life before. */
  readonly fromMs: number
  /** The first sign of life after. */
  readonly toMs: number
  readonly isRestart: boolean
  /** The run that the device was in afterwards. */
  readonly boot: string | undefined
}

/**
 * The spans with these signs among them: for one set of signs the same in whatever order, batches, and how often they come.
 * A run that another one has followed does not come back: what says so was sent by a clock that is wrong, and is left out.
 * @param spans In order, apart from each other.
 */
export function withSigns(spans: readonly LifeSpan[], signs: readonly LifeSign[], gapLimitMs: number): LifeSpan[] {
  const merged = [...spans]
  for (const sign of signs) {
    const at = merged.findLastIndex(({ fromMs }) => fromMs <= sign.atMs)
    if (isOutOfPlace(merged, at, sign)) continue
    const [before, after] = [merged[at], merged[at + 1]]
    const own = { fromMs: sign.atMs, toMs: sign.atMs, boot: sign.boot }
    const first = before !== undefined && belongTogether(before, own, gapLimitMs) ? before : own
    const isLast = after !== undefined && belongTogether(own, after, gapLimitMs) && areOfOneRun(first, after)
    const toMs = Math.max(first.toMs, isLast ? after.toMs : sign.atMs)
    const span = { fromMs: first.fromMs, toMs, boot: first.boot ?? own.boot ?? (isLast ? after.boot : undefined) }
    const start = first === own ? at + 1 : at
    merged.splice(start, at + 1 + Number(isLast) - start, span)
  }
  return merged
}

/** What lies between the spans. */
export function gapsBetween(spans: readonly LifeSpan[]): LifeGap[] {
  return spans.slice(1).map((after, index) => {
    const before = spans[index] ?? after
    return { fromMs: before.toMs, toMs: after.fromMs, isRestart: !areOfOneRun(before, after), boot: after.boot }
  })
}

/** Whether the sign is inside another run, or of one that another has followed. */
function isOutOfPlace(spans: readonly LifeSpan[], at: number, sign: LifeSign): boolean {
  const [before, after] = [spans[at], spans[at + 1]]
  if (before === undefined || areOfOneRun(before, sign)) return false
  if (sign.atMs <= before.toMs) return true
  if (after !== undefined && before.boot === after.boot) return true
  return spans.slice(0, at).some(({ boot }) => boot === sign.boot)
}

function belongTogether(before: LifeSpan, after: LifeSpan, gapLimitMs: number): boolean {
  return areOfOneRun(before, after) && after.fromMs - before.toMs <= gapLimitMs
}

function areOfOneRun(a: Pick<LifeSpan, 'boot'>, b: Pick<LifeSpan, 'boot'>): boolean {
  return a.boot === undefined || b.boot === undefined || a.boot === b.boot
}
