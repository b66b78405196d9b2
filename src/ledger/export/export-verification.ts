import { ChainPass, type ChainStart } from '../audit/chain-pass.js'
import { type Finding, Findings, type VerificationReport } from '../audit/finding.js'
import { CheckpointReader } from '../audit/tree-check.js'
import {
  carriedHash,
  chainKey,
  computedHash,
  isLaidOut,
  previousHash,
  type StoredBytes,
  sequenceOf,
} from '../entry/stored-bytes.js'
import { openCheckpoint, type TreeHead } from '../log/checkpoint-text.js'
import type { VerifierKey } from '../log/signed-note.js'
import type { ParsedWitnessPolicy } from '../log/witness-policy.js'
import { commitmentOf, isSalt } from '../personal/commitment.js'
import { ExportError } from './export-error.js'
import { ExportFile } from './export-file.js'
import { checkDigest, type ExportHeader, namesFormat } from './export-format.js'
import { exportReport } from './export-report.js'
import { openFirstLine } from './first-line.js'
import { exportedEntry, formOf, type Line, type PersonalLine, parseLine } from './line.js'
import { SecondLook } from './second-look.js'
import { TreeOfFiles } from './tree-of-files.js'

const otherSigners = 'The file is also signed by keys that are not known here; their signatures were not checked.'

/** One verification of exported files, line by line. */
export class ExportVerification {
  readonly #keys: readonly VerifierKey[]
  readonly #findings = new Findings()
  readonly #caveats: string[] = []
  readonly #known: TreeHead | undefined
  readonly #reader: CheckpointReader
  readonly #pass: ChainPass
  readonly #starts = new Map<string, ChainStart>()
  readonly #again: SecondLook
  /** The last checkpoint that a trusted key has signed. */
  #newestNote: string | undefined
  /** The first line that is not in its place: a finding where nothing else is that it would follow from. */
  #misplaced: Finding | undefined
  #fileCount = 0
  #file = new ExportFile(0, 1, 0)
  /** Of the first file. */
  #first: ExportHeader | undefined
  #isBeginKnown = true
  readonly #tree: TreeOfFiles

  constructor(keys: readonly VerifierKey[], knownCheckpoint: string | undefined) {
    this.#keys = keys
    this.#reader = new CheckpointReader(keys, this.#findings)
    this.#known = knownCheckpoint === undefined ? undefined : openCheckpoint(knownCheckpoint, keys)
    this.#tree = new TreeOfFiles(this.#known, this.#findings)
    this.#pass = new ChainPass({ starts: this.#starts, onStranger: () => undefined })
    this.#again = new SecondLook(this.#pass.suspects, this.#starts)
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
    if (number === 1) this.#begin(bytes)
    if (line?.digest !== undefined) {
      this.#close(String(line.digest))
      return
    }
    file.sha256.update(bytes)
    if (number === 1) return
    if (line === undefined) this.#lineFault('edited', number, 'a line of an export', formOf(bytes))
    else this.#takeLine(line, number)
  }

  #begin(bytes: Buffer): void {
    try {
      const { header, frontier } = openFirstLine(bytes)
      this.#file.header = header
      if (this.#fileCount === 1) {
        this.#first = header
        this.#tree.begin(frontier)
      } else this.#tree.goOn(header, frontier, this.#file.lineName(1))
      this.#checkOrigin(header.origin)
    } catch (error) {
      if (!(error instanceof ExportError)) throw error
      this.#file.firstFault = error
      this.#isBeginKnown = false
      this.#tree.lose()
      const expected = 'the first line of an export'
      const found = `${this.#file.lineName(1)}: ${error.message}`
      this.#findings.add({ damage: 'edited', where: 'export', expected, found })
    }
  }

  /** Takes an entry that files before this one have, too. */
  #takeAgain(entry: StoredBytes, number: number): void {
    this.#file.repeated += 1
    const carried = carriedHash(entry)
    if (computedHash(entry) !== carried) this.#lineFault('edited', number, 'an entry with the hash that it carries')
    this.#tree.takeAgain(Buffer.from(carried, 'hex'))
  }

  #checkOrigin(origin: string): void {
    const name = this.#keys[0]?.name ?? ''
    if (origin === name) return
    const expected = `a file of the log ${name}`
    this.#findings.add({ damage: 'bad_signature', where: 'export', expected, found: String(origin) })
  }

  #takeLine(line: Line, number: number): void {
    if (typeof line.entry === 'string') this.#takeEntry(line.entry, number)
    else if (typeof line.checkpoint === 'string') this.#takeCheckpoint(line.checkpoint, number)
    else if (line.personal !== undefined) this.#takePersonal(line.personal as PersonalLine, number)
    else this.#lineFault('edited', number, 'a line of an export')
  }

  #takeEntry(text: string, number: number): void {
    const entry = exportedEntry(text)
    if (entry === undefined || !isLaidOut(entry)) {
      this.#lineFault('edited', number, 'an entry')
      return
    }
    if (this.#tree.isOverlapping) {
      this.#takeAgain(entry, number)
      return
    }
    this.#startLate(entry)
    this.#pass.take(entry)
    if (this.#pass.chains.get(chainKey(entry))?.sequence !== sequenceOf(entry))
      this.#misplace('the entries of a chain in the order of their numbers', number)
    // The tree is compared with the hash that the entry carries: that its bytes have another one is said of the entry.
    this.#tree.take(Buffer.from(carriedHash(entry), 'hex'))
  }

  #misplace(expected: string, number: number): void {
    const found = this.#file.lineName(number)
    this.#misplaced ??= { damage: 'reordered', where: 'export', expected, found }
  }

  /** In a file that begins later than the ledger, or nobody knows where, so do its chains. */
  #startLate(entry: StoredBytes): void {
    if (this.#isBeginKnown && this.#first?.fromSize === 0) return
    const chain = chainKey(entry)
    // The first entry of a chain begins it, wherever it is.
    if (!this.#pass.chains.has(chain) && sequenceOf(entry) !== 1)
      this.#starts.set(chain, { sequence: sequenceOf(entry) - 1, hash: previousHash(entry) })
  }

  #takeCheckpoint(note: string, number: number): void {
    const head = this.#reader.open(note)
    if (head === undefined) return
    this.#newestNote = note
    this.#file.newest = head
    if (!this.#tree.takeCheckpoint(head)) this.#misplace('each checkpoint behind its leaves', number)
  }

  #takePersonal({ commitment, salt, text }: PersonalLine, number: number): void {
    const found = isSalt(salt) ? commitmentOf(Buffer.from(salt, 'hex'), text) : 'what is no salt'
    if (found === commitment) return
    this.#findings.add({
      damage: 'edited',
      where: 'personal_data',
      expected: commitment,
      found: `${found} in ${this.#file.lineName(number)}`,
    })
  }

  #close(note: string): void {
    const { header, sha256 } = this.#file
    this.#file.isClosed = true
    if (header === undefined) return
    const { origin, fromSize, size } = header
    const digest = { origin, fromSize, size, sha256: sha256.digest() }
    const checked = checkDigest(note, digest, this.#keys)
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
    this.#tree.endFile()
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
    this.#tree.end()
    const isAllElseSound = this.#findings.list.length === 0 && this.#pass.suspects.size === 0
    if (this.#misplaced !== undefined && isAllElseSound) this.#findings.add(this.#misplaced)
  }

  #checkSize({ size, fromSize }: ExportHeader): void {
    const { newest, entriesBefore, repeated } = this.#file
    const leaves = fromSize + repeated + this.#pass.entries - entriesBefore
    if (newest === undefined || newest.size !== size || leaves !== size) {
      this.#findings.add({
        damage: leaves < size ? 'truncated' : 'edited',
        where: 'export',
        expected: `a checkpoint of ${size} entries at the end`,
        found: `${leaves} entries, the last checkpoint of ${newest?.size ?? 0}`,
      })
    }
  }

  /** Compares the last checkpoint with what witnesses have to have signed. */
  requireWitnesses(policy: ParsedWitnessPolicy): void {
    const found = policy.lackIn(this.#newestNote)
    if (found === undefined) return
    const [damage, checkpointSize] = ['bad_signature', this.#file.newest?.size] as const
    if (policy.otherwise === 'caveat') this.#caveats.push(`The last checkpoint has not the ${policy}, but of ${found}.`)
    else this.#findings.add({ damage, where: 'checkpoint', checkpointSize, expected: String(policy), found })
  }

  /** Takes a line of a file a second time, of those that have entries of damaged chains. */
  lookAgain(bytes: Buffer): void {
    this.#again.take(bytes)
  }

  nameDamage(): void {
    this.#findings.addAll(this.#again.findings())
  }

  #lineFault(damage: 'edited' | 'inserted', number: number, expected: string, form = ''): void {
    this.#findings.add({ damage, where: 'export', expected, found: `${this.#file.lineName(number)}${form}` })
  }

  report(): VerificationReport {
    return exportReport({
      findings: this.#findings,
      caveats: this.#caveats,
      pass: this.#pass,
      first: this.#first,
      isBeginKnown: this.#isBeginKnown,
      known: this.#known,
      newest: this.#tree.newest,
    })
  }
}
