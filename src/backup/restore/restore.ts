import type { Db, Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { EntityDescription } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import type { KeyRing } from '../../core/key-ring.js'
import type { RollUpReport, RollUps } from '../../energy/roll-ups/roll-ups.js'
import type { VerificationReport } from '../../ledger/audit/finding.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { VerifierKey } from '../../ledger/log/signed-note.js'
import type { PrivacyService } from '../../privacy/index.js'
import { storedName } from '../format/manifest.js'
import type { OnProgress } from '../progress.js'
import { openVerified } from '../read/verify-backup.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { checkTarget } from './check-target.js'
import { type EraseLists, erasedElsewhere, eraseEntries, type ReadLists, readEraseLists } from './erase-again.js'
import { mergeCollections, requireNoConflict } from './merge.js'
import type { Replay } from './replay.js'
import type { restoreJournalEntity } from './restore-journal.js'
import { type PlannedRestore, type PlanOptions, planRestore, type RestoreTarget } from './restore-plan.js'
import type { RestoreSource } from './restore-source.js'
import { Restorer } from './restorer.js'

export interface RestoreParts {
  readonly database: Database
  readonly keyRing: KeyRing | undefined
  readonly verifierKeys: readonly VerifierKey[]
  readonly journals: typeof restoreJournalEntity
  /** The entities of what processes do at this moment, the journal among them: they are in no backup. */
  readonly coordination: readonly EntityDescription[]
  readonly dailyAggregates: string
  /** The services on the restored database. */
  readonly servicesOf: (database: Database) => RestoredServices
}

export interface RestoredServices {
  readonly ledger: Ledger
  readonly rollUps: RollUps
  readonly privacy: PrivacyService
}

export interface RestoreSettings extends PlanOptions, EraseLists {
  readonly target: RestoreTarget
  /** Only says what would be done. @default false */
  readonly dryRun?: boolean
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

export interface RestoreReport {
  readonly backupId: string
  readonly database: string
  readonly dryRun: boolean
  /** Whether the ledger and the roll-ups are sound, as far as they were looked at. */
  readonly valid: boolean
  /** With how many documents each has; of a time series, buckets. Null where only a restore could say. */
  readonly collections: readonly { readonly name: string; readonly as: string; readonly documents: number | null }[]
  /** What was found in the restored ledger; null if it was not verified. */
  readonly ledger: VerificationReport | null
  /** What was found in the restored roll-ups; null if they were not verified. */
  readonly rollUps: RollUpReport | null
  /** How many people who had been erased were in the backup, and were erased again. */
  readonly erasedAgain: number
  readonly caveats: readonly string[]
}

/**
 * Restores a backup. Everything is checked before anything is written: every byte of the backup, the names, the server's
 * version, the space on its disk.
 * @throws DatabaseError `BACKUP_DAMAGED` if something is wrong with the backup, `CONFLICT` if a database is not empty,
 * `CONFIGURATION`, `RESTORING`, `STORAGE`, `KEY_RING`; NotFoundError; ValidationError for what is no id in `erase`.
 */
export async function restore(
  parts: RestoreParts,
  storage: StorageAccess,
  id: string,
  settings: RestoreSettings,
): Promise<RestoreReport> {
  const { onProgress, signal } = settings
  const { keyRing, verifierKeys } = parts
  const reader = await openVerified(storage, id, {
    keyRing,
    verifierKeys,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  })
  return restoreFrom(parts, reader, settings)
}

/**
 * Restores from a source that was verified.
 * @param replay Only where the target is a new database.
 */
export async function restoreFrom(
  parts: RestoreParts,
  source: RestoreSource,
  settings: RestoreSettings,
  replay?: Replay,
): Promise<RestoreReport> {
  const { target, signal } = settings
  const database = parts.database.sibling('into' in target ? target.into : parts.database.connection.name)
  const left = parts.coordination.map(({ collection }) => collection)
  const planned = planRestore(source.content, settings, database.connection.name, left)
  if ((replay?.planned ?? planned).length === 0)
    throw new DatabaseError('CONFIGURATION', 'No collection would be restored')
  await checkTarget(database.native, source.content, planned, target, { journals: parts.journals, left })
  const lists = await readEraseLists(settings)
  const report = {
    backupId: source.content.id,
    database: database.connection.name,
    collections: (replay?.planned ?? planned).map(({ collection, name }) => ({
      name: collection.name,
      as: name,
      documents: replay === undefined ? collection.documents : null,
    })),
  }
  const isMerge = 'inPlace' in target && target.inPlace === 'merge'
  if (settings.dryRun === true) {
    if (isMerge && target.onConflict === 'fail') await requireNoConflict(database, source, planned)
    return {
      ...report,
      dryRun: true,
      valid: true,
      ledger: null,
      rollUps: null,
      erasedAgain: 0,
      caveats: ['nothing was written'],
    }
  }
  if (isMerge) {
    await mergeCollections(database, source, planned, target.onConflict, signal)
    const { ledger, privacy } = parts.servicesOf(database)
    const caveats = [mergedCaveat, ...(await eraseEntries(ledger, lists.erase))]
    const erasedAgain = (await privacy.repeat(lists.erasedPeople)).length
    return { ...report, dryRun: false, valid: true, ledger: null, rollUps: null, erasedAgain, caveats }
  }
  const outcome = await restoreWhole(parts, database, source, planned, { ...settings, ...lists }, replay)
  const collections = replay === undefined ? report.collections : await counted(database.native, replay.planned)
  return { ...report, collections, dryRun: false, ...outcome }
}

async function counted(native: Db, planned: readonly PlannedRestore[]): Promise<RestoreReport['collections']> {
  return Promise.all(
    planned.map(async ({ collection, name }) => {
      const stored = storedName(name, collection.type)
      const documents = stored === null ? 0 : await native.collection(stored).estimatedDocumentCount()
      return { name: collection.name, as: name, documents }
    }),
  )
}

const mergedCaveat = 'the ledger and the roll-ups were not verified: a merge makes a state that no backup is of'

async function restoreWhole(
  parts: RestoreParts,
  database: Database,
  source: RestoreSource,
  planned: readonly PlannedRestore[],
  { target, collections, erase, erasedPeople, onProgress, signal }: RestoreSettings & ReadLists,
  replay: Replay | undefined,
): Promise<Pick<RestoreReport, 'valid' | 'erasedAgain' | keyof Outcome>> {
  const services = parts.servicesOf(database)
  let erasedAgain = 0
  let outcome: Outcome = { ledger: null, rollUps: null, caveats: [] }
  const restorer = new Restorer(database, source, planned, {
    mode: 'into' in target ? 'new' : 'replace',
    journals: parts.journals,
    coordination: parts.coordination,
    ...(replay === undefined ? {} : { replay }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
    beforeOpen: async () => {
      outcome = await verifyRestored(parts, database.native, services, source.content, replay?.planned ?? planned)
      const unknown = await eraseEntries(services.ledger, erase)
      const { erased, caveats } = await erasedElsewhere(parts, source.content.database, database.connection.name)
      erasedAgain = (await services.privacy.repeat([...erasedPeople, ...erased])).length
      const others =
        collections === undefined ? await othersCaveats(database.native, replay?.planned ?? planned, parts) : []
      outcome = { ...outcome, caveats: [...outcome.caveats, ...others, ...unknown, ...caveats] }
    },
  })
  await restorer.run()
  const isSound = outcome.ledger === null || outcome.ledger.findings.length === 0
  return { valid: isSound && outcome.rollUps?.valid !== false, erasedAgain, ...outcome }
}

/** Collections that came after the backup stay, whatever state the others are brought back to. */
async function othersCaveats(
  native: Db,
  planned: readonly PlannedRestore[],
  { coordination }: RestoreParts,
): Promise<string[]> {
  const known = new Set([...planned.map(({ name }) => name), ...coordination.map(({ collection }) => collection)])
  const listed = await native.listCollections({}, { nameOnly: true }).toArray()
  const others = listed.map(({ name }) => name).filter((name) => !name.startsWith('system.') && !known.has(name))
  if (others.length === 0) return []
  return [`not in the backup, and left as they are: ${others.toSorted().join(', ')}`]
}

type Outcome = Pick<RestoreReport, 'ledger' | 'rollUps' | 'caveats'>

/** What the restored data say of themselves. Of a part of a backup, or under other names, they say nothing. */
async function verifyRestored(
  { dailyAggregates }: RestoreParts,
  native: Db,
  { ledger, rollUps }: ReturnType<RestoreParts['servicesOf']>,
  content: RestoreSource['content'],
  planned: readonly PlannedRestore[],
): Promise<Outcome> {
  const isWhole = planned.every(({ collection, name }) => collection.name === name)
  const has = (name: string) => planned.some((one) => one.name === name)
  const caveats: string[] = []
  if (!isWhole || !has(ledger.entity.collection))
    return { ledger: null, rollUps: null, caveats: ['there is no ledger to verify among the collections'] }
  const knownCheckpoint = content.checkpoint === null ? {} : { knownCheckpoint: content.checkpoint }
  const verified = await ledger.verify(knownCheckpoint).catch(asCaveat('the ledger', caveats))
  const span = has(dailyAggregates) ? await daysOf(native, dailyAggregates) : undefined
  const compared = span === undefined ? null : await rollUps.verify(span).catch(asCaveat('the roll-ups', caveats))
  return { ledger: verified, rollUps: compared, caveats: [...(verified?.caveats ?? []), ...caveats] }
}

/** A ledger that cannot be verified here, for want of keys, is restored all the same. */
function asCaveat(what: string, caveats: string[]): (error: unknown) => null {
  return (error) => {
    const isOfConnection = error instanceof DatabaseError && error.retryable
    if (!(error instanceof Error) || isOfConnection) throw error
    caveats.push(`${what} could not be verified: ${error.message}`)
    return null
  }
}

async function daysOf(native: Db, dailyAggregates: string): Promise<{ from: string; to: string } | undefined> {
  const days = native.collection<Document>(dailyAggregates)
  const group = { _id: null, from: { $min: '$date_string' }, to: { $max: '$date_string' } }
  const [found] = await days.aggregate([{ $group: group }]).toArray()
  return found === undefined ? undefined : { from: String(found.from), to: String(found.to) }
}
