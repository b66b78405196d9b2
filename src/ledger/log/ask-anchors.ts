import { redactCredentials } from '../../core/redact.js'
import { settlesWithin } from '../../core/settles-within.js'
import type { Anchor, AnchoredCheckpoint } from './anchor.js'

const longestAnswerMs = 30_000

/** Anchor answer: what an anchor has answered. */
export interface AnchorAnswer {
  readonly name: string
  /** The newest checkpoint that it keeps; undefined if it keeps none, or has not answered. */
  readonly kept: AnchoredCheckpoint | undefined
  /** Why it has not answered. */
  readonly fault: string | undefined
}

/** Asks every anchor that can be asked for the newest checkpoint that it keeps. Never throws. */
export function askAnchors(anchors: readonly Anchor[], limitMs = longestAnswerMs): Promise<AnchorAnswer[]> {
  const askable = anchors.filter(({ newest }) => newest !== undefined)
  return Promise.all(askable.map((anchor) => ask(anchor, limitMs)))
}

/** Anchors are a host's own programs, which no compiler may have looked at. */
function isCheckpoint(answer: unknown): answer is AnchoredCheckpoint {
  const { note, anchoredAt } = Object(answer) as Partial<Record<keyof AnchoredCheckpoint, unknown>>
  return typeof note === 'string' && anchoredAt instanceof Date && !Number.isNaN(anchoredAt.getTime())
}

async function ask(anchor: Anchor, limitMs: number): Promise<AnchorAnswer> {
  const { name } = anchor
  try {
    const answer = Promise.resolve(anchor.newest?.())
    if (!(await settlesWithin(limitMs, answer)))
      return { name, kept: undefined, fault: `no answer within ${limitMs} ms` }
    const kept: unknown = await answer
    if (kept === undefined || kept === null) return { name, kept: undefined, fault: undefined }
    if (isCheckpoint(kept)) return { name, kept, fault: undefined }
    return { name, kept: undefined, fault: 'its answer is no checkpoint: expected { note, anchoredAt }' }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { name, kept: undefined, fault: redactCredentials(reason).slice(0, 1000) }
  }
}
