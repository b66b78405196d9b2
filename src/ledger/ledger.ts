import type { ClientSession, ObjectId } from 'mongodb'
import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { DatabaseError, NotFoundError } from '../core/errors.js'
import { toObjectId } from '../core/fields.js'
import { Reader } from '../core/repository/reader.js'
import { requireOptions } from '../core/repository/selection.js'
import type { Notice } from '../core/self-check/notice.js'
import { translateError } from '../core/translate-error.js'
import { validateData } from '../core/validate.js'
import type { Appended } from './append/append-call.js'
import type { ArchiveOptions, ArchiveResult } from './archive/archiver.js'
import type { VerificationReport } from './audit/finding.js'
import { Verification } from './audit/verification.js'
import type { VerifyOptions } from './audit/verify-options.js'
import { type LedgerEntry, type LedgerEvent, ledgerEventSchema } from './entry/entry.js'
import { hexOf } from './entry/sha256.js'
import { type ExportOptions, exportLedger } from './export/export-writer.js'
import type { FactStore } from './facts/fact-store.js'
import {
  archiveSchema,
  consistencySchema,
  exportSchema,
  inclusionSchema,
  startSchema,
  verifySchema,
} from './ledger-options.js'
import { type LedgerLogParts, type LedgerParts, openLedgerParts } from './ledger-parts.js'
import type { AnchorStatus } from './log/anchor-publisher.js'
import type { CheckpointResult } from './log/checkpointer.js'
import type { ConsistencyProof, InclusionProof } from './log/proof-form.js'
import { erasureKey, erasureOf } from './personal/erasure.js'
import { commitPersonal } from './personal/personal-store.js'

const what = 'The options'
const maximumEvents = 10_000
const checkpointWork = 'checkpoints'
const eventsSchema = z.array(ledgerEventSchema).max(maximumEvents)

/** Entry personal data: what is personal about an entry. */
export interface EntryPersonalData {
  readonly notes?: string
  readonly personal?: Readonly<Record<string, unknown>>
}

/** An event as it is handed in: ids may be hexadecimal, instants ISO 8601. */
export type LedgerEventInput = z.input<typeof ledgerEventSchema>

/** The energy ledger: append-only, one hash chain per switch. Entries can be read and appended; nothing changes them. */
export class Ledger extends Reader<LedgerEntry> {
  /** What the entries say about energy, in the order of time. @internal */
  readonly facts: FactStore
  readonly #parts: LedgerParts

  constructor(database: Database, entity: Entity<LedgerEntry>, log: LedgerLogParts) {
    super(database, entity)
    this.#parts = openLedgerParts(database, entity, log)
    this.facts = this.#parts.facts
    if (log.signers.length > 0) database.selfCheck.add(() => this.#checkpointNotice())
  }

  /**
   * Appends events, at most 10,000 at a time, each to its switch's chain in the order given. Durable (majority, journaled)
   * when it resolves; an event whose idempotency key is known gives back the entry that is there. Safe from any number of
   * processes. Calls that are under way at once share their commits.
   * @throws ValidationError if one of them is not valid, and then none is appended; DatabaseConnectionError; DatabaseError
   * `CONTENTION`, retryable, if others appended to the same chains first for a minute.
   */
  async append(events: readonly LedgerEventInput[]): Promise<Appended[]> {
    const given = validateData(compiled(eventsSchema), events, 'The ledger events')
    if (!given.some(({ notes, personal }) => notes !== undefined || personal !== undefined))
      return this.appendValid(given as readonly LedgerEvent[])
    const committed = given.map((event) => commitPersonal(event))
    // Together or not at all: no personal data stays that no entry has a commitment to, and that nobody could erase.
    return this.database.transactions.run(async () => {
      const appended = await this.appendValid(committed.map(({ event }) => event))
      await this.#run('append', (session) => this.#parts.personal.add(committed, appended, session))
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
    const data = await this.#run('personalDataOf', (session) => this.#parts.personal.of(entry, session))
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
      if (hexOf(erasure.erases) !== hexOf(entry.hash)) {
        const key = erasureKey(entry.hash)
        throw new DatabaseError('CONFLICT', `An event of the host's own has the key of the erasure: ${key}`)
      }
      await this.#run('erasePersonalData', (session) => this.#parts.personal.erase(entry, session))
      return erasure
    })
  }

  /** As {@link append}, for events that were built by the library itself. @internal */
  async appendValid(events: readonly LedgerEvent[]): Promise<Appended[]> {
    try {
      return await this.#parts.writer.append(events)
    } catch (error) {
      throw translateError(error)
    }
  }

  /**
   * Makes a signed checkpoint of everything that is in the ledger now, and gives it to the anchors. One process at a time
   * makes one; appends go on meanwhile.
   * @throws DatabaseError `CONFIGURATION` without signer keys; `LEDGER_DAMAGED`, and nothing is signed, if the Merkle tree was
   * tampered with or does not go on from what an anchor keeps; `ANCHOR_UNREACHABLE`, retryable, if an anchor cannot be asked.
   */
  checkpoint(): Promise<CheckpointResult> {
    return this.#guarded('checkpoint', async () => {
      const completeUntil = this.database.clock.now()
      const result = await this.#parts.log.checkpoint()
      if (result.checkpoint !== null) await this.#parts.publisher.publish(result.checkpoint)
      await this.database.workRecords.record(checkpointWork, completeUntil)
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
    const { personalData } = validateData(exportSchema, options, what)
    this.database.requireOpen()
    try {
      const { size } = await this.#parts.archives.archived(this.#parts.seams, this.#parts.keys)
      yield* exportLedger(this.#parts.exporting, size, { personalData })
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
  async archive(options: ArchiveOptions): Promise<ArchiveResult> {
    const parsed = validateData(archiveSchema, options, what) as ArchiveOptions
    return this.#guarded('archive', () => this.#parts.archiver.run(parsed))
  }

  /** How many leaves of the tree are archived, of what there are archives of without a hole. It only grows. */
  archivedSize(): Promise<number> {
    return this.#run('archivedSize', () => this.#parts.archives.size())
  }

  /** How far each anchor outside the database has come, and what fails. */
  anchorStatus(): Promise<AnchorStatus[]> {
    return this.#guarded('anchorStatus', () => this.#parts.publisher.status())
  }

  /**
   * Makes a checkpoint now and then, as long as the handle is open; also where nothing is new, an anchor that failed is tried
   * again. Any number of processes may do so: one at a time makes one.
   * @returns a function that stops it, and waits for one that is being made.
   */
  startCheckpoints(everyMs: number): () => Promise<void> {
    const { restMs } = validateData(startSchema, { restMs: everyMs }, 'The interval')
    return this.database.periodic.start({ name: checkpointWork, everyMs: restMs, work: () => this.checkpoint() })
  }

  /**
   * Shows that an entry is in the ledger, to anybody who knows the verifier key; see `verifyInclusion`. An archived entry is
   * looked for in the files that are named, from their beginning.
   * @throws NotFoundError; DatabaseError `NOT_COVERED` if no checkpoint covers the entry yet.
   */
  async proveInclusion(
    entryId: ObjectId | string,
    options: { readonly archiveFiles?: readonly string[] } = {},
  ): Promise<InclusionProof> {
    const { archiveFiles } = validateData(inclusionSchema, options, what)
    const _id = toObjectId(entryId, 'entryId')
    return this.#guarded('proveInclusion', () => this.#parts.log.proveInclusion(_id, archiveFiles))
  }

  /**
   * Shows that the ledger of one checkpoint begins with that of an earlier one; see `verifyConsistency`.
   * @throws NotFoundError if there is no checkpoint of one of the sizes; ValidationError if the first is the larger one.
   */
  async proveConsistency(fromSize: number, toSize: number): Promise<ConsistencyProof> {
    const sizes = validateData(consistencySchema, { fromSize, toSize }, 'The sizes')
    return this.#guarded('proveConsistency', () => this.#parts.log.proveConsistency(sizes.fromSize, sizes.toSize))
  }

  /**
   * Verifies the ledger: hashes every entry again, checks every link, compares every entry with the signed tree, and the tree
   * with what is known outside the database. What of that was not possible is among the report's caveats.
   */
  async verify(options: VerifyOptions = {}): Promise<VerificationReport> {
    const parsed = validateData(verifySchema, options, what) as VerifyOptions
    return this.#guarded('verify', () => new Verification(this.#parts.verifying, parsed).run())
  }

  /** Verifies one switch's chain. @throws NotFoundError if the device has no entries of the switch. */
  async verifyChainIntegrity(
    deviceId: ObjectId | string,
    switchId: ObjectId | string,
    options: Omit<VerifyOptions, 'switchIds' | 'deviceId' | 'classroom' | 'onlySince'> = {},
  ): Promise<VerificationReport> {
    const chain = { switchId: toObjectId(switchId, 'switchId'), deviceId: toObjectId(deviceId, 'deviceId') }
    requireOptions(options, ['knownCheckpoint', 'registers', 'witnessPolicy', 'signal', 'onProgress'])
    const report = await this.verify({ ...options, switchIds: [chain.switchId] })
    if (report.findings.length === 0 && !(await this.#guarded('verify', () => this.#isOfDevice(chain))))
      throw new NotFoundError(this.entity.name, `deviceId ${String(deviceId)} and switchId ${String(switchId)}`)
    return report
  }

  async #checkpointNotice(): Promise<Notice | undefined> {
    const late = await this.database.workRecords.late(checkpointWork)
    if (late === undefined) return undefined
    const entries = await this.database.of(this.entity, { isOutside: true }).estimatedCount()
    if (entries === 0) return undefined
    const since =
      late.completeUntil === null ? 'has ever been made' : `was made since ${late.completeUntil.toISOString()}`
    return {
      code: 'CHECKPOINTS_NOT_MADE',
      message: `No checkpoint of the ledger ${since}, although there are keys for them. Call volt.start(), or volt.ledger.checkpoint() now and then`,
      completeUntil: late.completeUntil,
    }
  }

  /** Whether the chain has entries of the device; where these are archived the seam says whose the last one was. */
  async #isOfDevice(chain: Pick<LedgerEntry, 'switchId' | 'deviceId'>): Promise<boolean> {
    // What a secondary does not know yet would be left out.
    const entries = this.database.native.collection<LedgerEntry>(this.entity.collection, { readPreference: 'primary' })
    const placed = await entries.countDocuments({ ...chain, flags: 'placed' }, { limit: 1 })
    return placed > 0 || this.#parts.seams.has(chain)
  }

  #run<Result>(operation: string, work: (session: ClientSession | undefined) => Promise<Result>): Promise<Result> {
    return this.database.run(this.entity, operation, work)
  }

  #guarded<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    return this.database.transactions.outside(() => this.#run(operation, work))
  }
}
