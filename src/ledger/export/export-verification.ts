import { ChainPass, type ChainStart } from '../audit/chain-pass.js'
import { classifyChain, type EntrySummary, summaryOf } from '../audit/classify-chain.js'
import { Findings, type VerificationReport } from '../audit/finding.js'
import { CheckpointReader, TreeCheck } from '../audit/tree-check.js'
import { genesisHash } from '../entry/hash.js'
import {
  carriedHash,
  chainKey,
  isLaidOut,
  previousHash,
  type StoredBytes,
  sequenceOf,
  switchIdOf,
} from '../entry/stored-bytes.js'
import { decodeBase64 } from '../log/base64.js'
import { openCheckpoint, type TreeHead } from '../log/checkpoint-text.js'
import { hashBytes, type MerkleFrontier } from '../log/merkle-tree.js'
import type { VerifierKey } from '../log/signed-note.js'
import { commitmentOf, isSalt } from '../personal/commitment.js'
import { ExportError } from './export-error.js'
import { ExportFile } from './export-file.js'
import { checkDigest, type ExportHeader, namesFormat } from './export-format.js'
import { openFirstLine } from './first-line.js'
import { type Line, parseLine } from './line.js'

const noKnownCheckpoint =
  'Without a checkpoint that was seen before, an older state of the ledger cannot be told from the newest.'
const earlierKnown = 'The known checkpoint is of entries before those of this file, and was not compared.'
const otherSigners = 'The file is also signed by keys that are not known here; their signatures were not checked.'
const unknownBegin =
  'The first line is damaged, so the entries were compared neither with the checkpoints nor with the digest of the file.'
const startsLater = (size: number) => `The first ${size} entries of the ledger are not in this file.`

/** One verification of exported files, line by line. */
export class ExportVerification {
  readonly #keys: readonly VerifierKey[]
  readonly #findings = new Findings()
  readonly #caveats: string[] = []
  readonly #known: TreeHead | undefined
  readonly #reader: CheckpointReader
  readonly #pass: ChainPass
  readonly #starts = new Map<string, ChainStart>()
  readonly #summaries = new Map<string, EntrySummary[]>()
  #fileCount = 0
  #file = new ExportFile(0, 1, 0)
  /** Of the first file. */
  #first: ExportHeader | undefined
  #isBeginKnown = true
  #tree: TreeCheck | undefined

  constructor(keys: readonly VerifierKey[], knownCheckpoint: string | undefined) {
    this.#keys = keys
    this.#reader = new CheckpointReader(keys, this.#findings)
    this.#known = knownCheckpoint === undefined ? undefined : openCheckpoint(knownCheckpoint, keys)
    this.#pass = new ChainPass(this.#starts)
  }

  get suspects(): ReadonlySet<string> {
    return this.#pass.suspects
  }

  /** @param count How many files there are. */
  beginFile(count: number): void {
    this.#fileCount += 1
    this.#file = new ExportFile(this.#fileCount, count, this.#pass.entries)
  }

  take(bytes: Buffer, number: number): void {
    const file = this.#file
    if (file.isClosed) {
      this.#lineFault('inserted', number, 'nothing after the digest')
      return
    }
    file.isExport ||= namesFormat(bytes, number)
    const line = parseLine(bytes)
    if (number === 1) this.#begin(line)
    if (line !== undefined && 'digest' in line) {
      this.#close(bytes)
      return
    }
    file.sha256.update(bytes)
    if (number > 1) this.#takeLine(line, number)
  }

  #begin(line: Line | undefined): void {
    try {
      const { header, frontier } = openFirstLine(line)
      this.#file.header = header
      if (this.#fileCount === 1) {
        this.#first = header
        this.#tree = this.#treeFrom(frontier)
      } else this.#goOn(header, frontier)
      this.#checkOrigin(header.origin)
    } catch (error) {
      if (!(error instanceof ExportError)) throw error
      this.#file.firstFault = error
      this.#isBeginKnown = false
      this.#tree = undefined
      const expected = 'the first line of an export'
      const found = `${this.#file.lineName(1)}: ${error.message}`
      this.#findings.add({ damage: 'edited', where: 'export', expected, found })
    }
  }

  #treeFrom(frontier: MerkleFrontier): TreeCheck {
    const heads = this.#known === undefined ? [] : [{ head: this.#known, isOutside: true }]
    const comparable = heads.filter(({ head }) => head.size >= frontier.size)
    return new TreeCheck(comparable, this.#findings, frontier)
  }

  /** A later file has to begin with the tree that those before it end with. */
  #goOn({ fromSize }: ExportHeader, frontier: MerkleFrontier): void {
    const before = this.#tree?.frontier
    if (before === undefined) return
    const rootOf = ({ size, root }: { size: number; root: string }) => `the tree of ${size} entries, ${root}`
    const expected = { size: before.size, root: before.root().toString('hex') }
    const found = { size: fromSize, root: frontier.root().toString('hex') }
    if (rootOf(expected) === rootOf(found)) return
    const damage = fromSize > before.size ? 'deleted' : fromSize < before.size ? 'inserted' : 'rewritten'
    const place = `${this.#file.lineName(1)} goes on from`
    this.#findings.add({ damage, where: 'export', expected: rootOf(expected), found: `${place} ${rootOf(found)}` })
    this.#tree = this.#treeFrom(frontier)
  }

  #checkOrigin(origin: string): void {
    const name = this.#keys[0]?.name ?? ''
    if (origin === name) return
    const expected = `a file of the log ${name}`
    this.#findings.add({ damage: 'bad_signature', where: 'export', expected, found: String(origin) })
  }

  #takeLine(line: Line | undefined, number: number): void {
    if (typeof line?.entry === 'string') this.#takeEntry(line.entry, number)
    else if (typeof line?.checkpoint === 'string') this.#takeCheckpoint(line.checkpoint)
    else if (isPersonal(line?.personal)) this.#takePersonal(line.personal, number)
    else this.#lineFault('edited', number, 'a line of an export')
  }

  #takeEntry(text: string, number: number): void {
    const stored = decodeBase64(text)
    const entry = stored && { buffer: stored, start: 0, length: stored.length }
    if (
      stored === undefined ||
      entry === undefined ||
      stored.length < 4 ||
      stored.readInt32LE(0) !== stored.length ||
      !isLaidOut(entry)
    ) {
      this.#lineFault('edited', number, 'an entry')
      return
    }
    this.#startLate(entry)
    this.#pass.take(entry)
    // The tree is compared with the hash that the entry carries: that its bytes have another one is said of the entry.
    const leaf = Buffer.from(carriedHash(entry), 'hex')
    this.#tree?.take(leaf.length === hashBytes ? leaf : Buffer.alloc(hashBytes))
  }

  /** In a file that begins later than the ledger, or nobody knows where, so do its chains. */
  #startLate(entry: StoredBytes): void {
    if (this.#isBeginKnown && this.#first?.fromSize === 0) return
    const chain = chainKey(entry)
    if (!this.#pass.chains.has(chain))
      this.#starts.set(chain, { sequence: sequenceOf(entry) - 1, hash: previousHash(entry) })
  }

  #takeCheckpoint(note: string): void {
    const head = this.#reader.open(note)
    if (head === undefined) return
    this.#tree?.expect(head)
    this.#file.newest = head
  }

  #takePersonal({ commitment, salt, text }: Personal, number: number): void {
    const found = isSalt(salt) ? commitmentOf(salt, text) : 'what is no salt'
    if (found === commitment) return
    this.#findings.add({
      damage: 'edited',
      where: 'personal_data',
      expected: commitment,
      found: `${found} in ${this.#file.lineName(number)}`,
    })
  }

  #close(bytes: Buffer): void {
    const { header, sha256 } = this.#file
    this.#file.isClosed = true
    if (header === undefined) return
    const { origin, fromSize, size } = header
    const digest = { origin, fromSize, size, sha256: sha256.digest() }
    const checked = checkDigest(bytes.toString('utf8'), digest, this.#keys)
    if (checked.damage === undefined) {
      if (checked.unchecked > 0 && !this.#caveats.includes(otherSigners)) this.#caveats.push(otherSigners)
      return
    }
    this.#findings.add({
      damage: checked.damage,
      where: 'export',
      expected: `the digest ${digest.sha256.toString('base64')}, signed`,
      found: checked.found,
    })
  }

  /** @throws ExportError if the file is none. */
  endFile(): void {
    const { isExport, firstFault, isClosed, header } = this.#file
    if (!isExport) throw firstFault
    if (!isClosed) {
      this.#findings.add({
        damage: 'truncated',
        where: 'export',
        expected: 'a signed digest at the end',
        found: 'nothing',
      })
    }
    if (header !== undefined) this.#checkSize(header)
  }

  /** To be called after the last file. */
  end(): void {
    this.#pass.end()
    this.#tree?.end()
  }

  #checkSize({ size, fromSize }: ExportHeader): void {
    const { newest, entriesBefore } = this.#file
    const leaves = fromSize + this.#pass.entries - entriesBefore
    if (newest === undefined || newest.size !== size || leaves !== size) {
      this.#findings.add({
        damage: leaves < size ? 'truncated' : 'edited',
        where: 'export',
        expected: `a checkpoint of ${size} entries at the end`,
        found: `${leaves} entries, the last checkpoint of ${newest?.size ?? 0}`,
      })
    }
  }

  /** Collects the entries of damaged chains. */
  lookAgain(bytes: Buffer): void {
    const line = parseLine(bytes)
    const stored = typeof line?.entry === 'string' ? decodeBase64(line.entry) : undefined
    if (stored === undefined || stored.length < 4 || stored.readInt32LE(0) !== stored.length) return
    const entry = { buffer: stored, start: 0, length: stored.length }
    const summary = summaryOf(entry)
    if (summary === undefined || !this.#pass.suspects.has(chainKey(entry))) return
    const chain = chainKey(entry)
    const others = this.#summaries.get(chain)
    if (others === undefined) this.#summaries.set(chain, [summary])
    else others.push(summary)
  }

  nameDamage(): void {
    for (const [chain, entries] of this.#summaries) {
      const start = this.#starts.get(chain) ?? { sequence: 0, hash: genesisHash }
      this.#findings.add(...classifyChain(entries, { switchId: switchIdOf(chain), start, signed: new Map() }))
    }
  }

  #lineFault(damage: 'edited' | 'inserted', number: number, expected: string): void {
    this.#findings.add({ damage, where: 'export', expected, found: this.#file.lineName(number) })
  }

  report(): VerificationReport {
    const { fromSize = 0 } = this.#first ?? {}
    if (!this.#isBeginKnown) this.#caveats.push(unknownBegin)
    if (this.#known === undefined) this.#caveats.push(noKnownCheckpoint)
    else if (this.#known.size < fromSize) this.#caveats.push(earlierKnown)
    if (fromSize > 0) this.#caveats.push(startsLater(fromSize))
    const newest = this.#tree?.newest
    const findings = this.#findings.list
    return {
      valid: this.#pass.entries > 0 && findings.length === 0,
      entries: this.#pass.entries,
      chains: this.#pass.chains.size,
      invalidEntry: this.#findings.firstEntry,
      findings,
      checkpoint: newest === undefined ? null : { size: newest.size, rootHash: newest.rootHash.toString('hex') },
      coveredEntries: newest === undefined ? 0 : newest.size - fromSize,
      archivedEntries: fromSize,
      newestAnchor: null,
      caveats: this.#caveats,
    }
  }
}

type Personal = { readonly commitment: string; readonly salt: string; readonly text: string }

function isPersonal(value: unknown): value is Personal {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['commitment', 'salt', 'text'].every((name) => typeof (value as Line)[name] === 'string')
  )
}
