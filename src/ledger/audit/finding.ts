/** How something is damaged. */
export type Damage =
  /** Its bytes do not have the hash that it carries, or that its successor or the signed tree has for it. */
  | 'edited'
  /** It is gone, and there are entries after it. */
  | 'deleted'
  /** It is at a place in the chain where it does not belong. */
  | 'inserted'
  /** It is an entry of the chain, at another place than its own. */
  | 'reordered'
  /** It is a second successor of the entry before it. */
  | 'forked'
  /** The end is gone: a checkpoint covers more than there is. */
  | 'truncated'
  /** It is sound in itself, with another hash than the signed tree, or its successor, has for it. */
  | 'rewritten'
  /** The signature of a checkpoint, or of an export, is wrong or of a key that is not trusted. */
  | 'bad_signature'
  /** It is of a format that this version of the library does not know. */
  | 'unknown_version'
  /** Its registers are not what the facts of the chain's entries come to. */
  | 'wrong_register'
  /** Its idempotency key is that of an earlier entry of its chain. */
  | 'repeated'
  /** A file has entries again that a file before it has. */
  | 'overlapping'
  /** Something is not accounted for, and nobody can say how it is damaged. */
  | 'unexplained'

/** One damaged place. */
export interface Finding {
  readonly damage: Damage
  /** What is damaged. */
  readonly where: 'entry' | 'personal_data' | 'checkpoint' | 'tree' | 'archive' | 'export'
  /** The chain: the id of its switch. */
  readonly switchId?: string | undefined
  /** The number of the entry in its chain. */
  readonly sequence?: number | undefined
  /** The last entry of those that are damaged in the same way, where there are several. */
  readonly throughSequence?: number | undefined
  readonly entryId?: string | undefined
  /** How many entries the checkpoint covers. */
  readonly checkpointSize?: number | undefined
  /** Hash, or what else was expected. */
  readonly expected: string
  readonly found: string
}

/** An anchored checkpoint that the ledger was compared with. */
export interface AnchorReport {
  readonly name: string
  readonly size: number
  readonly anchoredAt: Date
  readonly ageMs: number
}

export interface VerificationReport {
  /** Whether there was something to verify and all of it is accounted for. What {@link caveats} name was not excluded. */
  readonly valid: boolean
  /** Entries that were read and hashed again, and the chains that they are of. */
  readonly entries: number
  readonly chains: number
  /** The first damaged entry. */
  readonly invalidEntry: Finding | null
  /** What is damaged, the first 1,000 places. */
  readonly findings: readonly Finding[]
  /** How many places are damaged, also those after the first 1,000. */
  readonly findingCount: number
  /** The newest checkpoint that was found to be signed and to have the tree that it says; null if there is none. */
  readonly checkpoint: { readonly size: number; readonly rootHash: string } | null
  /** Entries that this checkpoint covers: these cannot have been changed, even by those who may write to the database. */
  readonly coveredEntries: number
  /** Entries that are kept in archives, and were not read. */
  readonly archivedEntries: number
  /** The newest checkpoint outside the database that the ledger agrees with; null if there is none. */
  readonly newestAnchor: AnchorReport | null
  /** What this verification cannot exclude. */
  readonly caveats: readonly string[]
}

const maximumFindings = 1000

/** Collects what is found: of any number of findings the first ones, and how many there are. */
export class Findings {
  readonly list: Finding[] = []
  /** The first one that is about an entry. */
  firstEntry: Finding | null = null
  count = 0

  /** @param places How many places it stands for. */
  add(finding: Finding, places = 1): void {
    this.count += places
    if (finding.where === 'entry') this.firstEntry ??= finding
    if (this.list.length < maximumFindings) this.list.push(finding)
  }

  addAll(findings: Iterable<Finding>): void {
    for (const finding of findings) this.add(finding)
  }
}
