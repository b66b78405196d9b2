import type { CheckpointStore } from '../log/checkpoint-store.js'
import type { TreeHead } from '../log/checkpoint-text.js'
import type { ParsedWitnessPolicy } from '../log/witness-policy.js'
import type { Findings } from './finding.js'

/**
 * Compares the newest checkpoint that the ledger agrees with and what witnesses have to have signed.
 * @returns what the report has to say of it, where that is no damage.
 */
export async function checkWitnesses(
  policy: ParsedWitnessPolicy,
  checkpoints: CheckpointStore,
  newest: TreeHead | undefined,
  findings: Findings,
): Promise<readonly string[]> {
  const stored = newest === undefined ? null : await checkpoints.ofSize(newest.size)
  const found = policy.lackIn(stored?.note)
  if (found === undefined) return []
  if (policy.otherwise === 'caveat') return [`The newest checkpoint has not the ${policy}, but of ${found}.`]
  const [damage, checkpointSize] = ['bad_signature', newest?.size] as const
  findings.add({ damage, where: 'checkpoint', checkpointSize, expected: String(policy), found })
  return []
}
