import { genesisHash } from './hash.js'
import { decodeEntry, hashesOf } from './raw-entry.js'

/** How an entry is damaged. */
export type Damage =
  /** Its bytes do not have the hash that it carries. */
  | 'edited'
  /** Entries before it are missing. */
  | 'deleted'
  /** It does not follow from the entry before it. */
  | 'broken_link'

/** One damaged place of the ledger. */
export interface Finding {
  readonly damage: Damage
  /** The chain: the id of its switch. */
  readonly switchId: string
  readonly sequence: number
  readonly entryId: string
  readonly expected: string
  readonly found: string
}

export interface VerificationReport {
  /** Whether there was something to verify and all of it is sound. */
  readonly valid: boolean
  readonly entries: number
  readonly chains: number
  /** The first damaged entry. */
  readonly invalidEntry: Finding | null
  /** Damaged entries, the first 1,000 of them. */
  readonly findings: readonly Finding[]
  /** What this verification cannot exclude. */
  readonly caveats: readonly string[]
}

const maximumFindings = 1000
const withoutAnchor =
  'Without an earlier checkpoint kept outside the database it cannot be excluded that a chain was cut at its end, or rewritten with new hashes.'

/** Verifies entries that come chain by chain, in order. */
export class ChainVerifier {
  #entries = 0
  #chains = 0
  #switchId = ''
  #sequence = 0
  #hash = genesisHash
  readonly #findings: Finding[] = []

  /** @param stored The entry as MongoDB stores it. */
  take(stored: Buffer): void {
    const entry = decodeEntry(stored)
    const switchId = String(entry.switchId)
    if (switchId !== this.#switchId) this.#begin(switchId)
    this.#entries += 1
    const hashes = hashesOf(stored)
    const place = { switchId, sequence: entry.sequence, entryId: String(entry._id) }
    if (entry.sequence !== this.#sequence + 1) {
      this.#report({ damage: 'deleted', ...place, expected: String(this.#sequence + 1), found: String(entry.sequence) })
    } else if (entry.previousHash !== this.#hash) {
      this.#report({ damage: 'broken_link', ...place, expected: this.#hash, found: String(entry.previousHash) })
    }
    if (hashes === undefined || hashes.computed !== hashes.carried) {
      this.#report({
        damage: 'edited',
        ...place,
        expected: hashes?.carried ?? 'a hash',
        found: hashes?.computed ?? 'none',
      })
    }
    this.#sequence = entry.sequence
    this.#hash = hashes?.carried ?? String(entry.hash)
  }

  report(): VerificationReport {
    return {
      valid: this.#entries > 0 && this.#findings.length === 0,
      entries: this.#entries,
      chains: this.#chains,
      invalidEntry: this.#findings[0] ?? null,
      findings: this.#findings,
      caveats: this.#entries === 0 ? ['There was nothing to verify.', withoutAnchor] : [withoutAnchor],
    }
  }

  #begin(switchId: string): void {
    this.#chains += 1
    this.#switchId = switchId
    this.#sequence = 0
    this.#hash = genesisHash
  }

  #report(finding: Finding): void {
    if (this.#findings.length < maximumFindings) this.#findings.push(finding)
  }
}
