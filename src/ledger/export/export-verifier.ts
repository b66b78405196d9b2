import { createHash } from 'node:crypto'
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
import { hashBytes } from '../log/merkle-tree.js'
import { NoteError, VerifierKey } from '../log/signed-note.js'
import { commitmentOf, isSalt } from '../personal/commitment.js'
import { ExportError } from './export-error.js'
import { checkDigest, type ExportHeader, namesFormat } from './export-format.js'
import { openFirstLine } from './first-line.js'
import { type Line, parseLine } from './line.js'
import { linesIn } from './line-reader.js'

export interface VerifyExportOptions {
  /** Who may have signed the checkpoints and the file, `name+id+base64`; from a source that you trust, never from the file. */
  readonly verifierKeys: readonly string[]
  /** A checkpoint that you have seen before: the file has to go on from it. */
  readonly knownCheckpoint?: string
}

const noKnownCheckpoint =
  'Without a checkpoint that was seen before, an older state of the ledger cannot be told from the newest.'
const earlierKnown = 'The known checkpoint is of entries before those of this file, and was not compared.'
const otherSigners = 'The file is also signed by keys that are not known here; their signatures were not checked.'
const unknownBegin =
  'The first line is damaged, so the entries were compared neither with the checkpoints nor with the digest of the file.'
const startsLater = (size: number) => `The first ${size} entries of the ledger are not in this file.`

/**
 * Verifies an exported file: every byte by the signed digest, every entry by its hash, every chain by its links, and the
 * tree by its signed checkpoints. Pure: no database, no network. Memory stays flat, but for damaged chains.
 * @param open Gives the bytes of the file from its beginning; called a second time if something is damaged.
 * @throws ExportError if neither the first line nor the closing digest names the format that this version knows; NoteError for what is no key, or
 * no checkpoint; UntrustedCheckpointError for a known checkpoint that none of the keys has signed.
 * @example
 * const report = await verifyExport(() => createReadStream('ledger.jsonl'), { verifierKeys: [key] })
 */
export async function verifyExport(
  open: () => AsyncIterable<Uint8Array>,
  options: VerifyExportOptions,
): Promise<VerificationReport> {
  const keys = options.verifierKeys.map((key) => VerifierKey.parse(key))
  if (new Set(keys.map(({ name }) => name)).size !== 1)
    throw new NoteError('an export is verified with the verifier keys of one log, at least one')
  const verification = new ExportVerification(keys, options.knownCheckpoint)
  let number = 0
  for await (const line of linesIn(open())) verification.take(line, ++number)
  verification.end()
  if (verification.suspects.size > 0) {
    for await (const line of linesIn(open())) verification.lookAgain(line)
    verification.nameDamage()
  }
  return verification.report()
}

class ExportVerification {
  readonly #keys: readonly VerifierKey[]
  readonly #findings = new Findings()
  readonly #caveats: string[] = []
  readonly #known: TreeHead | undefined
  readonly #reader: CheckpointReader
  readonly #pass: ChainPass
  readonly #sha256 = createHash('sha256')
  readonly #starts = new Map<string, ChainStart>()
  readonly #summaries = new Map<string, EntrySummary[]>()
  #header: ExportHeader | undefined
  #firstFault = new ExportError('the file is empty')
  #isExport = false
  #tree: TreeCheck | undefined
  #newest: TreeHead | undefined
  #isClosed = false

  constructor(keys: readonly VerifierKey[], knownCheckpoint: string | undefined) {
    this.#keys = keys
    this.#reader = new CheckpointReader(keys, this.#findings)
    this.#known = knownCheckpoint === undefined ? undefined : openCheckpoint(knownCheckpoint, keys)
    this.#pass = new ChainPass(this.#starts)
  }

  get suspects(): ReadonlySet<string> {
    return this.#pass.suspects
  }

  take(bytes: Buffer, number: number): void {
    if (this.#isClosed) {
      this.#lineFault('inserted', number, 'nothing after the digest')
      return
    }
    this.#isExport ||= namesFormat(bytes, number)
    const line = parseLine(bytes)
    if (number === 1) this.#begin(line)
    if (line !== undefined && 'digest' in line) {
      this.#close(bytes)
      return
    }
    this.#sha256.update(bytes)
    if (number > 1) this.#takeLine(line, number)
  }

  #begin(line: Line | undefined): void {
    try {
      const { header, frontier } = openFirstLine(line)
      const heads = this.#known === undefined ? [] : [{ head: this.#known, isOutside: true }]
      const comparable = heads.filter(({ head }) => head.size >= header.fromSize)
      this.#tree = new TreeCheck(comparable, this.#findings, frontier)
      this.#header = header
      this.#checkOrigin(header.origin)
    } catch (error) {
      if (!(error instanceof ExportError)) throw error
      this.#firstFault = error
      const expected = 'the first line of an export'
      this.#findings.add({ damage: 'edited', where: 'export', expected, found: `line 1: ${error.message}` })
    }
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
    if (this.#header?.fromSize === 0) return
    const chain = chainKey(entry)
    if (!this.#pass.chains.has(chain))
      this.#starts.set(chain, { sequence: sequenceOf(entry) - 1, hash: previousHash(entry) })
  }

  #takeCheckpoint(note: string): void {
    const head = this.#reader.open(note)
    if (head === undefined) return
    this.#tree?.expect(head)
    this.#newest = head
  }

  #takePersonal({ commitment, salt, text }: Personal, number: number): void {
    const found = isSalt(salt) ? commitmentOf(salt, text) : 'what is no salt'
    if (found === commitment) return
    this.#findings.add({
      damage: 'edited',
      where: 'personal_data',
      expected: commitment,
      found: `${found} in line ${number}`,
    })
  }

  #close(bytes: Buffer): void {
    this.#isClosed = true
    if (this.#header === undefined) return
    const { origin, fromSize, size } = this.#header
    const digest = { origin, fromSize, size, sha256: this.#sha256.digest() }
    const checked = checkDigest(bytes.toString('utf8'), digest, this.#keys)
    if (checked.damage === undefined) {
      if (checked.unchecked > 0) this.#caveats.push(otherSigners)
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
  end(): void {
    if (!this.#isExport) throw this.#firstFault
    this.#pass.end()
    if (!this.#isClosed) {
      this.#findings.add({
        damage: 'truncated',
        where: 'export',
        expected: 'a signed digest at the end',
        found: 'nothing',
      })
    }
    if (this.#header !== undefined) this.#checkSize(this.#header)
    this.#tree?.end()
  }

  #checkSize({ size, fromSize }: ExportHeader): void {
    const leaves = fromSize + this.#pass.entries
    if (this.#newest === undefined || this.#newest.size !== size || leaves !== size) {
      this.#findings.add({
        damage: leaves < size ? 'truncated' : 'edited',
        where: 'export',
        expected: `a checkpoint of ${size} entries at the end`,
        found: `${leaves} entries, the last checkpoint of ${this.#newest?.size ?? 0}`,
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
    this.#findings.add({ damage, where: 'export', expected, found: `line ${number}` })
  }

  report(): VerificationReport {
    const { fromSize = 0 } = this.#header ?? {}
    if (this.#header === undefined) this.#caveats.push(unknownBegin)
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
