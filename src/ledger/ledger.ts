import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { DatabaseError, NotFoundError } from '../core/errors.js'
import { toObjectId } from '../core/fields.js'
import type { Filter } from '../core/repository/conditions.js'
import { Reader } from '../core/repository/reader.js'
import { translateError } from '../core/translate-error.js'
import { validateData } from '../core/validate.js'
import type { Appended } from './append/append-call.js'
import { LedgerWriter } from './append/writer.js'
import type { Archive, Seam } from './archive/archive-entities.js'
import { type ArchiveOptions, type ArchiveResult, Archiver } from './archive/archiver.js'
import { SeamBounds } from './archive/seam-bounds.js'
import { SeamFinder } from './archive/seam-finder.js'
import { SeamStore } from './archive/seam-store.js'
import type { VerificationReport } from './audit/finding.js'
import { chainsInScope } from './audit/scope.js'
import { Verification } from './audit/verification.js'
import type { VerifyOptions } from './audit/verify-options.js'
import { type LedgerEntry, type LedgerEvent, ledgerEventSchema } from './entry/entry.js'
import { type ExportOptions, type ExportParts, exportLedger } from './export/export-writer.js'
import { type ArchivedUntil, FactStore } from './facts/fact-store.js'
import type { Anchor } from './log/anchor.js'
import { AnchorKeeper, type AnchorStatus } from './log/anchor-keeper.js'
import type { CheckpointResult } from './log/checkpointer.js'
import type { anchorEntity } from './log/log-entities.js'
import type { ConsistencyProof, InclusionProof } from './log/proof.js'
import type { SignerKey, VerifierKey } from './log/signed-note.js'
import { type LogCollections, TransparencyLog } from './log/transparency-log.js'
import { erasureOf } from './personal/erasure.js'
import type { PersonalData } from './personal/personal-data.js'
import { commitPersonal, PersonalStore } from './personal/personal-store.js'

/** What the checkpoints of a ledger need. */
export interface LedgerLogParts {
  readonly collections: Omit<LogCollections, 'entries'> & {
    readonly personalData: string
    readonly archives: string
    readonly seams: string
  }
  readonly signers: readonly SignerKey[]
  readonly keys: readonly VerifierKey[]
  readonly anchors: readonly Anchor[]
  readonly anchorEntity: typeof anchorEntity
}

const maximumEvents = 10_000
const eventsSchema = z.array(ledgerEventSchema).max(maximumEvents)

/** What is personal about an entry. */
export interface EntryPersonalData {
  readonly notes?: string
  readonly personal?: Readonly<Record<string, unknown>>
}

/** An event as it is handed in: ids may be hexadecimal, instants ISO 8601. */
export type LedgerEventInput = z.input<typeof ledgerEventSchema>

/** The energy ledger: append-only, one hash chain per switch. Entries can be read and appended; nothing changes them. */
export class Ledger extends Reader<LedgerEntry> {
  /** What the entries say about energy, in the order of time. */
  readonly facts: FactStore
  readonly #writer: LedgerWriter
  readonly #personal: PersonalStore
  readonly #personalData: string
  readonly #log: TransparencyLog
  readonly #keys: readonly VerifierKey[]
  readonly #anchors: readonly Anchor[]
  readonly #keeper: AnchorKeeper
  readonly #exportParts: ExportParts
  readonly #seams: SeamStore
  readonly #bounds: SeamBounds
  readonly #archiver: Archiver

  constructor(database: Database, entity: Entity<LedgerEntry>, log: LedgerLogParts) {
    super(database, entity)
    const signers = log.signers
    this.#log = new TransparencyLog(database, { ...log.collections, entries: entity.collection }, signers)
    this.#keys = log.keys
    this.#personalData = log.collections.personalData
    this.#anchors = log.anchors
    this.#exportParts = {
      log: this.#log,
      entries: () => this.collection,
      personalData: () => database.native.collection<PersonalData>(log.collections.personalData),
      signers,
    }
    this.#keeper = new AnchorKeeper(database, log.anchorEntity, this.#log, log.anchors)
    this.#seams = new SeamStore(() => database.native.collection<Seam>(log.collections.seams))
    const archives = () => database.native.collection<Archive>(log.collections.archives)
    this.#bounds = new SeamBounds(archives, this.#log.segments)
    const archivedUntil: ArchivedUntil = (switchId, session) => this.#seams.untilMs(switchId, session)
    this.facts = new FactStore(
      () => this.collection,
      archivedUntil,
      (query) => this.read('energy', query),
    )
    this.#archiver = new Archiver({
      database,
      exporting: this.#exportParts,
      entries: () => this.collection,
      keys: log.keys,
      archives,
      seams: this.#seams,
      bounds: this.#bounds,
      finder: new SeamFinder(() => this.collection, this.#log.segments, this.#exportParts.personalData),
    })
    this.#personal = new PersonalStore(() => database.native.collection<PersonalData>(log.collections.personalData))
    this.#writer = new LedgerWriter({ database, collection: entity.collection, archivedUntil })
  }

  /**
   * Appends events, at most 10,000 at a time, each to its switch's chain in the order given. Durable (majority, journaled)
   * when it resolves; an event whose idempotency key is known gives back the entry that is there. Safe from any number of
   * processes. Calls that are under way at once share their commits.
   * @throws ValidationError if one of them is not valid, and then none is appended; DatabaseConnectionError.
   */
  async append(events: readonly LedgerEventInput[]): Promise<Appended[]> {
    const given = validateData(compiled(eventsSchema), events, 'The ledger events')
    if (!given.some(({ notes, personal }) => notes !== undefined || personal !== undefined))
      return this.appendValid(given as readonly LedgerEvent[])
    const committed = given.map(commitPersonal)
    // Together or not at all: no personal data stays that no entry has a commitment to, and that nobody could erase.
    return this.database.transactions.run(async () => {
      const appended = await this.appendValid(committed.map(({ event }) => event))
      await this.read('append', (session) => this.#personal.add(committed, appended, session))
      return appended
    })
  }

  /**
   * What is personal about an entry: its `notes`, and what was appended as `personal`. Null if there was nothing, or it was
   * erased.
   * @throws NotFoundError.
   */
  async personalDataOf(entryId: ObjectId | string): Promise<EntryPersonalData | null> {
    const entry = await this.get(entryId)
    const data = await this.read('personalDataOf', (session) => this.#personal.of(entry, session))
    return data === null ? null : (JSON.parse(data.text) as EntryPersonalData)
  }

  /**
   * Erases what is personal about an entry, for good. The entry, its hash and every proof stay as they are; the erasure
   * itself becomes an entry of the chain. Both happen or neither; once is as good as twice.
   * @throws NotFoundError; DatabaseError `CONFIGURATION` if nothing about the entry is personal.
   */
  erasePersonalData(entryId: ObjectId | string): Promise<LedgerEntry> {
    return this.database.transactions.run(async () => {
      const entry = await this.get(entryId)
      if (entry.personalCommitment === undefined)
        throw new DatabaseError('CONFIGURATION', 'Nothing about the entry is personal: there is nothing to erase')
      const [appended] = await this.appendValid([erasureOf(entry, this.database.clock.now())])
      const erasure = (appended as Appended).entry
      if (erasure.erases !== entry.hash)
        throw new DatabaseError('CONFLICT', `An event of the host's own has the key of the erasure of ${entry.hash}`)
      await this.read('erasePersonalData', (session) => this.#personal.erase(entry, session))
      return erasure
    })
  }

  /** As {@link append}, for events that were built by the library itself. */
  async appendValid(events: readonly LedgerEvent[]): Promise<Appended[]> {
    try {
      return await this.#writer.append(events)
    } catch (error) {
      throw translateError(error)
    }
  }

  /**
   * Makes a signed checkpoint of everything that is in the ledger now, and gives it to the anchors. One process at a time
   * makes one; appends go on meanwhile.
   * @throws DatabaseError `CONFIGURATION` without signer keys, `LEDGER_DAMAGED` if the Merkle tree was tampered with.
   */
  checkpoint(): Promise<CheckpointResult> {
    return this.#guarded('checkpoint', async () => {
      const result = await this.#log.checkpoint()
      if (result.checkpoint !== null) await this.#keeper.publish(result.checkpoint)
      return result
    })
  }

  /**
   * The ledger from the last archive up to its newest checkpoint, as the text of a file that anybody can verify without the database: see
   * `verifyExport`, and docs/ledger-format.md. In pieces, however large it is.
   * @throws DatabaseError `NOT_COVERED` if there is no checkpoint yet, `CONFIGURATION` without a signer key, `LEDGER_DAMAGED`
   * if entries are missing.
   * @example
   * await pipeline(volt.ledger.export(), createWriteStream('ledger.jsonl'))
   */
  async *export(options: ExportOptions = {}): AsyncGenerator<string, void, undefined> {
    this.database.requireOpen()
    try {
      yield* exportLedger(this.#exportParts, await this.#archiver.archivedSize(), options)
    } catch (error) {
      throw translateError(error)
    }
  }

  /**
   * Moves the entries up to a checkpoint out of the database into a file, which `verifyExport` can verify like any export.
   * Registers go on from what stays, proofs and verification across the seam; the energy of the days that are gone can no
   * longer be asked for, and a reading that comes so late is refused. A chain keeps its entries from the first one with personal
   * data on.
   * @throws DatabaseError `CONFIGURATION` if the file is there already or cannot be written, or without a signer key;
   * `NOT_COVERED` if there is no such checkpoint; `LEDGER_DAMAGED` if the entries do not verify: nothing has left then.
   */
  archive(options: ArchiveOptions): Promise<ArchiveResult> {
    return this.#guarded('archive', () => this.#archiver.run(options))
  }

  /** How far each anchor outside the database has come, and what fails. */
  anchorStatus(): Promise<AnchorStatus[]> {
    return this.#guarded('anchorStatus', () => this.#keeper.status())
  }

  /**
   * Makes a checkpoint now and then, as long as the handle is open; also where nothing is new, an anchor that failed is tried
   * again. Any number of processes may do so: one at a time makes one.
   * @returns a function that stops it, and waits for one that is being made.
   */
  startCheckpoints(everyMs: number): () => Promise<void> {
    return this.database.periodic.start({ name: 'checkpoints', everyMs, work: () => this.checkpoint() })
  }

  /**
   * Shows that an entry is in the ledger, to anybody who knows the verifier key; see `verifyInclusion`. An archived entry is
   * looked for in the files that are named, from their beginning.
   * @throws NotFoundError; DatabaseError `NOT_COVERED` if no checkpoint covers the entry yet.
   */
  proveInclusion(
    entryId: ObjectId | string,
    { archiveFiles = [] }: { readonly archiveFiles?: readonly string[] } = {},
  ): Promise<InclusionProof> {
    return this.#guarded('proveInclusion', () => this.#log.proveInclusion(toObjectId(entryId), archiveFiles))
  }

  /**
   * Shows that the ledger of one checkpoint begins with that of an earlier one; see `verifyConsistency`.
   * @throws NotFoundError if there is no checkpoint of one of the sizes; RangeError if the first is the larger one.
   */
  proveConsistency(fromSize: number, toSize: number): Promise<ConsistencyProof> {
    return this.#guarded('proveConsistency', () => this.#log.proveConsistency(fromSize, toSize))
  }

  /**
   * Verifies the ledger: hashes every entry again, checks every link, compares every entry with the signed tree, and the tree
   * with what is known outside the database. What of that was not possible is among the report's caveats.
   */
  verify(options: VerifyOptions = {}): Promise<VerificationReport> {
    const { database, entity } = this
    const personalData = this.#personalData
    const parts = {
      database,
      entries: entity.collection,
      personalData,
      seams: this.#seams,
      bounds: this.#bounds,
      log: this.#log,
      keys: this.#keys,
      anchors: this.#anchors,
    }
    return this.#guarded('verify', async () => {
      const switchIds = await chainsInScope(this.collection, options)
      return new Verification(parts, { ...options, ...(switchIds === undefined ? {} : { switchIds }) }).run()
    })
  }

  /** Verifies one switch's chain. @throws NotFoundError if the device has no entries of the switch. */
  async verifyChainIntegrity(
    deviceId: ObjectId | string,
    switchId: ObjectId | string,
    options: Omit<VerifyOptions, 'switchIds' | 'deviceId' | 'classroom' | 'onlySince'> = {},
  ): Promise<VerificationReport> {
    const place = { switchId: toObjectId(switchId), deviceId: toObjectId(deviceId) }
    const report = await this.verify({ ...options, switchIds: [place.switchId] })
    if (report.findings.length === 0 && !(await this.exists(place as Filter<LedgerEntry>)))
      throw new NotFoundError(
        this.entity.name,
        `deviceId ${place.deviceId.toHexString()} and switchId ${place.switchId.toHexString()}`,
      )
    return report
  }

  #guarded<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    return this.database.transactions.outside(() => this.read(operation, work))
  }
}
