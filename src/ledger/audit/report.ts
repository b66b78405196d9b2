import type { TreeHead } from '../log/checkpoint-text.js'
import type { ArchivedState } from './archive-check.js'
import type { FollowedChain } from './chain-pass.js'
import type { Findings, VerificationReport } from './finding.js'
import type { KnownTreeHeads } from './known-tree-heads.js'
import type { VerifyOptions } from './verify-options.js'

const nothing = 'There was nothing to verify.'
const noKeys = 'No verifier keys are known, so no checkpoint was believed.'
const noCheckpoint = 'No checkpoint covers the entries: only their links show whether they were changed.'
const noAnchor =
  'Without an earlier checkpoint kept outside the database it cannot be excluded that chains were cut at their ends, or rewritten with new hashes.'
const onlyPlace =
  'Only chains with sound entries of the place, and damaged ones, were looked at: which archived entries were of it, and entries that came after the newest checkpoint, it cannot tell for sure.'
const onlyNew = 'Entries that the known checkpoint covers were not read.'
const noRegisters = 'The registers were not recomputed.'
const unsignedArchives = 'Without verifier keys it was taken as it is what the database says is archived.'
const noEntriesOf = (count: number) => `Of ${count} of the switches there are no entries.`
const inArchives = (count: number) => `${count} entries are archived: verify the files that they are in.`
const archivedRegisters = (count: number) =>
  `The registers of ${count} entries rest on entries that are archived, and were not recomputed.`

export interface ReportParts {
  readonly findings: Findings
  /** The chains in the scope that were read. */
  readonly chains: readonly (readonly [string, FollowedChain])[]
  /** Documents that were read and are of no chain. */
  readonly strangers: number
  /** Entries that the tree was found to have. */
  readonly matched: number
  readonly newest: TreeHead | undefined
  readonly knownHeads: KnownTreeHeads
  /** What is to be said of the signatures of witnesses. */
  readonly unwitnessed: readonly string[]
  readonly archived: ArchivedState
  readonly options: VerifyOptions
  readonly hasKeys: boolean
  /** Entries whose registers rest on archived ones. */
  readonly archivedRegisters: number
}

export function reportOf(parts: ReportParts): VerificationReport {
  const { findings, chains, strangers, matched, newest, knownHeads, archived } = parts
  const entries = chains.reduce((sum, [, { taken }]) => sum + taken, strangers)
  return {
    valid: entries > 0 && findings.count === 0,
    entries,
    chains: chains.length,
    invalidEntry: findings.firstEntry,
    findings: findings.list,
    findingCount: findings.count,
    checkpoint: newest === undefined ? null : { size: newest.size, rootHash: newest.rootHash.toString('hex') },
    coveredEntries: matched,
    archivedEntries: archivedEntriesOf(archived),
    newestAnchor: knownHeads.anchors[0] ?? null,
    caveats: [...knownHeads.caveats, ...parts.unwitnessed, ...caveatsOf(parts, entries)],
  }
}

function archivedEntriesOf({ starts }: ArchivedState): number {
  return [...starts.values()].reduce((sum, { sequence }) => sum + sequence, 0)
}

function* caveatsOf(
  { matched, newest, knownHeads, archived, options, hasKeys, ...parts }: ReportParts,
  entries: number,
) {
  if (entries === 0) yield nothing
  if (!hasKeys) yield noKeys
  else if (newest === undefined) yield noCheckpoint
  else if (matched < entries)
    yield `${entries - matched} entries came after the newest checkpoint: only their links show whether they were changed.`
  if (knownHeads.heads.length === 0) yield noAnchor
  const isOfPlace = (options.deviceId ?? options.classroom) !== undefined
  const absent = new Set(options.switchIds?.map(String)).size - parts.chains.length
  if (absent > 0 && !isOfPlace) yield noEntriesOf(absent)
  if (isOfPlace) yield onlyPlace
  if (options.onlySince) yield onlyNew
  if (options.onlySince || options.registers === false) yield noRegisters
  const count = archivedEntriesOf(archived)
  if (count > 0) yield inArchives(count)
  if (count > 0 && !hasKeys) yield unsignedArchives
  if (parts.archivedRegisters > 0) yield archivedRegisters(parts.archivedRegisters)
}
