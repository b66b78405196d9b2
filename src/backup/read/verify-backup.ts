import { DatabaseError } from '../../core/errors.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import type { KeyRing } from '../../core/key-ring.js'
import type { VerifierKey } from '../../ledger/log/signed-note.js'
import { keyName, manifestName } from '../format/names.js'
import { signatureProblem } from '../format/signed-json.js'
import { noteVerification } from '../keep/marks.js'
import type { OnProgress } from '../progress.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { BackupReader } from './backup-reader.js'
import { DamagedFileError } from './damaged-file-error.js'

/** Backup finding: what is wrong with a file of a backup. */
export interface BackupFinding {
  /** Inside the backup, such as `school/devices.bson.gz`. */
  readonly path: string
  readonly problem: string
}

export interface BackupReport {
  readonly id: string
  /** Whether nothing is wrong. */
  readonly valid: boolean
  readonly findings: readonly BackupFinding[]
  /** What could not be checked, and files that the backup does not need. */
  readonly caveats: readonly string[]
  readonly documents: number
  /** As stored. */
  readonly bytes: number
}

export interface VerifyBackupOptions {
  readonly keyRing: KeyRing | undefined
  /** One of these keys has to have signed the manifest; without any the signature is not looked at. */
  readonly verifierKeys: readonly VerifierKey[]
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

const filesAtOnce = 2

/**
 * Reads every byte of a backup and compares it with the manifest, the way that a restore reads it.
 * @throws NotFoundError; DatabaseError `STORAGE`, and `KEY_RING` if the key ring lacks the key: then nothing is known.
 */
export async function verifyBackup(
  storage: StorageAccess,
  id: string,
  options: VerifyBackupOptions,
): Promise<BackupReport> {
  const findings: BackupFinding[] = []
  const collect = (error: unknown) => {
    if (!(error instanceof DamagedFileError)) throw error
    findings.push({ path: error.path, problem: error.problem })
  }
  const reader = await BackupReader.open(storage, id, options.keyRing).catch(collect)
  if (reader === undefined) return { id, valid: false, findings, caveats: [], documents: 0, bytes: 0 }

  const caveats = signatureFindings(reader, options.verifierKeys, findings)
  const unexpected = await compareListing(storage, reader, findings)
  const missing = new Set(findings.map(({ path }) => path))
  await forEachConcurrently(checksOf(reader, options), filesAtOnce, async ({ path, check }) => {
    options.signal?.throwIfAborted()
    if (!missing.has(path)) await check().catch(collect)
  })
  if (!reader.isReadable)
    caveats.push('it is encrypted, and there is no key ring: its files were compared, and not opened')
  for (const path of unexpected) caveats.push(`${path} does not belong to it`)
  const { collections, files } = reader.content
  return {
    id,
    valid: findings.length === 0,
    findings,
    caveats,
    documents: collections.reduce((sum, { documents }) => sum + documents, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** Opens a backup of which nothing is wrong. @throws DatabaseError `BACKUP_DAMAGED` that names every file. */
export async function openVerified(
  storage: StorageAccess,
  id: string,
  options: VerifyBackupOptions,
): Promise<BackupReader> {
  const report = await verifyBackup(storage, id, options)
  if (!report.valid) {
    await noteVerification(storage, id, false)
    const named = report.findings.map(({ path, problem }) => `${path}: ${problem}`).join('; ')
    throw new DatabaseError('BACKUP_DAMAGED', `The backup ${id} is damaged, and nothing was restored: ${named}`)
  }
  return BackupReader.open(storage, id, options.keyRing)
}

function signatureFindings(reader: BackupReader, keys: readonly VerifierKey[], findings: BackupFinding[]): string[] {
  if (keys.length === 0) return ['its signature was not checked: no verifier key was given']
  const problem = signatureProblem('backup', reader.manifest, keys)
  if (problem !== undefined) findings.push({ path: manifestName, problem })
  return []
}

/** What is missing, or has another size, is found without reading. @returns the files that do not belong to the backup. */
async function compareListing(
  storage: StorageAccess,
  { content }: BackupReader,
  findings: BackupFinding[],
): Promise<string[]> {
  const expected = new Map(content.files.map(({ path, bytes }) => [path, bytes]))
  const own = new Set([manifestName, ...(content.encryption === 'none' ? [] : [keyName])])
  const unexpected: string[] = []
  const seen = new Set<string>()
  for await (const { path, bytes } of storage.list(`${content.id}/`)) {
    const inside = path.slice(content.id.length + 1)
    seen.add(inside)
    const size = expected.get(inside)
    if (size === undefined && !own.has(inside)) unexpected.push(inside)
    if (size !== undefined && size !== bytes)
      findings.push({ path: inside, problem: `it has ${bytes} bytes, and not ${size}` })
  }
  for (const path of [...expected.keys(), ...own])
    if (!seen.has(path)) findings.push({ path, problem: 'it is missing' })
  return unexpected
}

interface Check {
  readonly path: string
  readonly check: () => Promise<void>
}

/** Each file once: those of documents as documents, where they can be read. */
function checksOf(reader: BackupReader, { onProgress }: VerifyBackupOptions): Check[] {
  const { content } = reader
  const totalBytes = content.files.reduce((sum, { bytes }) => sum + bytes, 0)
  const done = { documents: 0, bytes: 0 }
  const report = (name: string) => onProgress?.({ phase: 'verifying', name, ...done, totalBytes })
  const ofDocuments = new Map(content.collections.map((collection) => [collection.dataFile, collection]))
  return content.files.map(({ path, bytes }) => ({
    path,
    async check() {
      const collection = ofDocuments.get(path)
      if (collection === undefined || !reader.isReadable) await reader.check(path)
      else
        for await (const block of reader.documents(collection)) {
          done.documents += block.documents
          report(collection.name)
        }
      done.bytes += bytes
      report(path)
    },
  }))
}
