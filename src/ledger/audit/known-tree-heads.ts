import type { Anchor } from '../log/anchor.js'
import { askAnchors } from '../log/ask-anchors.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { AnchorReport } from './finding.js'
import type { CheckpointReader } from './tree-check.js'

/** The tree heads that are known from outside the database: those of the anchors, and the one that the caller gave. */
export interface KnownTreeHeads {
  /** Signed statements that the ledger has to agree with. */
  readonly heads: readonly TreeHead[]
  readonly anchors: readonly AnchorReport[]
  /** The checkpoint that the caller knows. */
  readonly known: TreeHead | undefined
  readonly caveats: readonly string[]
}

/** Asks the anchors for their newest checkpoints and adds the one that the caller knows. */
export async function askForTreeHeads(
  anchors: readonly Anchor[],
  known: TreeHead | undefined,
  reader: CheckpointReader,
  nowMs: number,
): Promise<KnownTreeHeads> {
  const heads: TreeHead[] = known === undefined ? [] : [known]
  const reports: AnchorReport[] = []
  const caveats: string[] = []
  for (const { name, kept, fault } of await askAnchors(anchors)) {
    if (fault !== undefined) caveats.push(`The anchor ${name} could not be asked: ${fault}`)
    const head = kept && reader.open(kept.note)
    if (kept === undefined || head === undefined) continue
    heads.push(head)
    const ageMs = Math.max(0, nowMs - kept.anchoredAt.getTime())
    reports.push({ name, size: head.size, anchoredAt: kept.anchoredAt, ageMs })
  }
  return { heads, anchors: reports.sort((a, b) => b.size - a.size), known, caveats }
}
