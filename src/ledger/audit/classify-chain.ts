import { entryFormatVersions } from '../entry/format-version.js'
import {
  carriedHash,
  computedHash,
  entryIdOf,
  formatVersionOf,
  hashWithSequence,
  isLaidOut,
  previousHash,
  type StoredBytes,
  sequenceOf,
} from '../entry/stored-bytes.js'
import { entryFault } from '../entry/strict-entry.js'
import type { ChainStart } from './chain-pass.js'
import type { SignedChain } from './evidence.js'
import type { Finding } from './finding.js'

/** Entry summary: what is to be known of an entry to tell how its chain is damaged. */
export interface EntrySummary {
  readonly entryId: string
  readonly sequence: number
  readonly formatVersion: number
  readonly previous: string
  readonly computed: string
  readonly carried: string
  /** Why it is no entry to the byte, whatever hash it carries; undefined if it is one. */
  readonly fault: string | undefined
  /** What is stored, of one that does not have the hash that it carries. */
  readonly bytes: StoredBytes | undefined
}

/** @returns undefined if the bytes do not look like an entry. */
export function summaryOf(entry: StoredBytes): EntrySummary | undefined {
  if (!isLaidOut(entry)) return undefined
  const [computed, carried] = [computedHash(entry), carriedHash(entry)]
  return {
    entryId: entryIdOf(entry),
    sequence: sequenceOf(entry),
    formatVersion: formatVersionOf(entry),
    previous: previousHash(entry),
    computed,
    carried,
    fault: entryFault(entry),
    bytes: computed === carried ? undefined : copyOf(entry),
  }
}

/** The reply of the server that it is in is not kept. */
function copyOf({ buffer, start, length }: StoredBytes): StoredBytes {
  return { buffer: Buffer.from(buffer.subarray(start, start + length)), start: 0, length }
}

/** Chain evidence: what is known of a chain from elsewhere. */
export interface ChainEvidence {
  readonly switchId: string
  /** Where the entries that were read begin. Those before are archived. */
  readonly start: ChainStart
  /** What the signed tree has of the chain. */
  readonly signed: SignedChain
}

const none = 'nothing'
const laidOut = 'an entry as docs/ledger-format.md lays it out'

/**
 * How a chain is damaged, place by place. Nothing only if it is accounted for: if every document is a sound entry in its place,
 * and every leaf of the tree has its entry or its archive.
 */
export function classifyChain(entries: readonly EntrySummary[], evidence: ChainEvidence): Finding[] {
  const findings = new ChainClassifier(entries, evidence).findings()
  if (findings.length > 0 || isAccountedFor(entries, evidence)) return findings
  const { switchId, signed, start } = evidence
  return [
    {
      damage: 'unexplained',
      where: 'entry',
      switchId,
      expected: `a chain from entry ${start.sequence + 1} on, ${signed.through} entries of it in the tree`,
      found: `${entries.length} documents that are not accounted for`,
    },
  ]
}

function isAccountedFor(entries: readonly EntrySummary[], { start, signed }: ChainEvidence): boolean {
  let { sequence, hash } = start
  for (const entry of entries.toSorted((a, b) => a.sequence - b.sequence)) {
    const leaf = signed.hashes.get(entry.sequence)
    if (entry.fault !== undefined || entry.computed !== entry.carried) return false
    if (leaf !== entry.computed && (leaf !== undefined || entry.sequence <= signed.through)) return false
    if (entry.sequence >= 1 && entry.sequence <= start.sequence) {
      if (leaf === undefined) return false
      continue
    }
    if (entry.sequence !== sequence + 1 || entry.previous !== hash) return false
    sequence = entry.sequence
    hash = entry.computed
  }
  return sequence >= signed.through
}

class ChainClassifier {
  readonly #switchId: string
  readonly #start: ChainStart
  readonly #signed: ReadonlyMap<number, string>
  /** The hashes that the tree has for archived entries. */
  readonly #archived: ReadonlyMap<number, string>
  readonly #bySequence: ReadonlyMap<number, readonly EntrySummary[]>
  readonly #misplaced: EntrySummary[] = []
  readonly #last: number
  /** The places that hashes belong to, as far as it is known. */
  readonly #placeOf = new Map<string, number>()
  /** The hashes of entries that fork off the chain. */
  readonly #forked = new Set<string>()

  constructor(found: readonly EntrySummary[], { switchId, start, signed }: ChainEvidence) {
    this.#switchId = switchId
    this.#start = start
    this.#signed = new Map([...signed.hashes].filter(([sequence]) => sequence > start.sequence))
    this.#archived = new Map([...signed.hashes].filter(([sequence]) => sequence <= start.sequence))
    // Of two entries at one place the older one counts, in whatever order they are read.
    const entries = found.toSorted((a, b) => (a.entryId < b.entryId ? -1 : 1))
    for (const [sequence, hash] of this.#signed) this.#placeOf.set(hash, sequence)
    for (const { sequence, previous, computed, carried } of entries)
      if (computed === carried && !this.#placeOf.has(previous)) this.#placeOf.set(previous, sequence - 1)
    for (const { sequence, previous } of entries)
      if (!this.#placeOf.has(previous)) this.#placeOf.set(previous, sequence - 1)
    this.#bySequence = this.#atTheirPlaces(entries)
    let last = start.sequence
    for (const sequence of this.#bySequence.keys()) last = Math.max(last, sequence)
    this.#last = last
  }

  /** An entry whose number was edited is looked at where it belongs, unless another one is there. */
  #atTheirPlaces(entries: readonly EntrySummary[]): Map<number, EntrySummary[]> {
    const taken = new Set(entries.map(({ sequence }) => sequence))
    const bySequence = new Map<number, EntrySummary[]>()
    for (const entry of entries) {
      const own = this.#ownPlaceOf(entry)
      const isMoved = own !== undefined && own > this.#start.sequence && !taken.has(own)
      const sequence = isMoved ? own : entry.sequence
      if (!Number.isSafeInteger(sequence) || sequence <= this.#start.sequence) {
        this.#misplaced.push(entry)
        continue
      }
      const others = bySequence.get(sequence)
      const placed = isMoved ? { ...entry, sequence } : entry
      if (others === undefined) bySequence.set(sequence, [placed])
      else others.push(placed)
    }
    return bySequence
  }

  /** Where the hash that an entry carries, and does not have, belongs, if it has it there: its number was edited. */
  #ownPlaceOf({ computed, carried, previous, bytes }: EntrySummary): number | undefined {
    const place = computed === carried ? undefined : this.#placeOf.get(carried)
    if (place === undefined || bytes === undefined) return place
    const places = [place, (this.#placeOf.get(previous) ?? 0) + 1]
    return places.find((own) => hashWithSequence(bytes, own) === carried)
  }

  findings(): Finding[] {
    const misplaced = this.#misplaced.toSorted((a, b) => a.sequence - b.sequence)
    const findings = misplaced.flatMap((entry) => this.#misplacedFinding(entry) ?? [])
    let before = this.#start.hash
    // Holes can be wide: only the places at their edges are looked at.
    const places = [...new Set([...this.#bySequence.keys(), ...this.#signed.keys()])].sort((a, b) => a - b)
    let previousPlace = this.#start.sequence
    for (const place of places) {
      if (place > previousPlace + 1) {
        findings.push(this.#missing(previousPlace + 1, place - 1))
        before = ''
      }
      previousPlace = place
      const candidates = this.#bySequence.get(place) ?? []
      const expected = this.#expectedAt(place)
      const genuine = candidates.find((entry) => this.#isGenuine(entry, expected, before))
      if (candidates.length === 0) findings.push(this.#missing(place, place))
      else if (genuine !== undefined) {
        for (const other of candidates) if (other !== genuine) findings.push(this.#extra(other, genuine, before))
      } else for (const entry of candidates) findings.push(this.#damaged(entry, expected, before))
      before = genuine?.computed ?? expected ?? candidates[0]?.carried ?? ''
    }
    return joined(findings)
  }

  /** A document before the start of the chain: nothing but an archived entry may be there, which was not removed yet. */
  #misplacedFinding(entry: EntrySummary): Finding | undefined {
    const { sequence, computed, carried, fault } = entry
    const archived = this.#archived.get(sequence)
    if (archived === undefined) return this.#finding('inserted', entry, none, computed)
    if (computed === archived && carried === archived && fault === undefined) return undefined
    return this.#finding(carried === archived ? 'edited' : 'inserted', entry, archived, fault ?? computed)
  }

  /** The hash that belongs at the place: by the tree, or else by the entry after it. */
  #expectedAt(place: number): string | undefined {
    const signed = this.#signed.get(place)
    if (signed !== undefined) return signed
    // Of an entry that was edited nobody knows what it had named as the one before it.
    return this.#bySequence.get(place + 1)?.find(({ computed, carried }) => computed === carried)?.previous
  }

  #isGenuine({ computed, carried, previous, fault }: EntrySummary, expected: string | undefined, before: string) {
    if (computed !== carried || fault !== undefined) return false
    if (expected !== undefined) return computed === expected
    return before === '' || previous === before
  }

  /** An entry at a place where none is genuine. */
  #damaged(entry: EntrySummary, expected: string | undefined, before: string): Finding {
    const { computed, carried, formatVersion, sequence, previous, fault } = entry
    if (!entryFormatVersions.has(formatVersion))
      return this.#finding('unknown_version', entry, [...entryFormatVersions].join(' or '), String(formatVersion))
    // One that is at the place where the hash belongs that it carries was put there already.
    const place = computed === carried ? this.#placeOf.get(carried) : this.#ownPlaceOf(entry)
    if (place !== undefined && place !== sequence) return this.#finding('reordered', entry, expected ?? none, carried)
    // Where the bytes are those that were expected it is the hash itself that was edited.
    if (computed !== carried)
      return this.#finding('edited', entry, expected ?? carried, computed === expected ? carried : computed)
    if (fault !== undefined) return this.#finding('edited', entry, laidOut, fault)
    if (expected !== undefined) return this.#finding('rewritten', entry, expected, computed)
    return this.#finding('inserted', entry, before, previous)
  }

  /** A second entry at the place of a genuine one. */
  #extra(entry: EntrySummary, genuine: EntrySummary, before: string): Finding {
    const isFork = entry.computed === entry.carried && (entry.previous === before || this.#forked.has(entry.previous))
    if (isFork) this.#forked.add(entry.computed)
    return this.#finding(isFork ? 'forked' : 'inserted', entry, genuine.computed, entry.computed)
  }

  /** Entries that are not there: taken out, or cut off at the end. */
  #missing(from: number, through: number): Finding {
    return {
      damage: from > this.#last ? 'truncated' : 'deleted',
      where: 'entry',
      switchId: this.#switchId,
      sequence: from,
      ...(through > from ? { throughSequence: through } : {}),
      expected: this.#expectedAt(from) ?? 'an entry',
      found: none,
    }
  }

  #finding(damage: Finding['damage'], { entryId, sequence }: EntrySummary, expected: string, found: string): Finding {
    return { damage, where: 'entry', switchId: this.#switchId, sequence, entryId, expected, found }
  }
}

/** Findings of one kind at places beside each other become one, but for edited entries: each of these is named. */
function joined(findings: readonly Finding[]): Finding[] {
  const result: Finding[] = []
  for (const finding of findings) {
    const last = result.at(-1)
    const end = last?.throughSequence ?? last?.sequence
    const isNext =
      last?.damage === finding.damage &&
      finding.damage !== 'edited' &&
      end !== undefined &&
      finding.sequence === end + 1
    if (isNext) result[result.length - 1] = { ...last, throughSequence: finding.throughSequence ?? finding.sequence }
    else result.push(finding)
  }
  return result
}
