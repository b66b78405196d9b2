import type { Anchor } from '../log/anchor.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { AnchorReport } from './finding.js'
import type { CheckpointReader } from './tree-check.js'

/** What is known of the ledger from outside its database. */
export interface Outside {
  /** Signed statements that the ledger has to agree with. */
  readonly heads: readonly TreeHead[]
  readonly anchors: readonly AnchorReport[]
  /** The checkpoint that the caller knows. */
  readonly known: TreeHead | undefined
  readonly caveats: readonly string[]
}

/** Asks the anchors for their newest checkpoints; the other one is what the caller knows. */
export async function askOutside(
  anchors: readonly Anchor[],
  known: TreeHead | undefined,
  reader: CheckpointReader,
  nowMs: number,
): Promise<Outside> {
  const heads: TreeHead[] = known === undefined ? [] : [known]
  const reports: AnchorReport[] = []
  const caveats: string[] = []
  for (const anchor of anchors) {
    if (anchor.newest === undefined) continue
    try {
      const kept = await anchor.newest()
      const head = kept && reader.open(kept.note)
      if (kept === undefined || head === undefined) continue
      heads.push(head)
      const ageMs = Math.max(0, nowMs - kept.anchoredAt.getTime())
      reports.push({ name: anchor.name, size: head.size, anchoredAt: kept.anchoredAt, ageMs })
    } catch (error) {
      caveats.push(
        `The anchor ${anchor.name} could not be asked: ${error instanceof Error ? error.message : 'unknown error'}`,
      )
    }
  }
  return { heads, anchors: reports.sort((a, b) => b.size - a.size), known, caveats }
}
