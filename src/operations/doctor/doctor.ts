import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity, EntityDescription, Identified } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import { setUpCollections } from '../../core/setup/set-up.js'
import type { QuarantinedMessage } from '../../ingestion/quarantine.js'
import type { LedgerEntry } from '../../ledger/entry/entry.js'
import type { AnchorState, StoredCheckpoint } from '../../ledger/log/log-entities.js'
import type { Admin } from '../admin.js'
import type { Profiler } from '../profiler/profiler.js'
import type { Roles } from '../roles/roles.js'
import { accessFindings } from './access-checks.js'
import { type Diagnosis, type DiagnosisCheck, type Finding, ok, unknown, warning } from './diagnosis.js'
import {
  anchorFindings,
  backupFinding,
  keptWorkFindings,
  ledgerFinding,
  quarantineFinding,
  setupFinding,
} from './library-checks.js'
import {
  clockFinding,
  diskFinding,
  replicaSetFinding,
  timeToLiveFinding,
  versionFinding,
  writeConcernFinding,
} from './server-checks.js'

export interface DoctorParts {
  /** All entities that `setup()` sets up. */
  readonly entities: () => readonly EntityDescription[]
  readonly ledger: Entity<LedgerEntry>
  readonly ledgerCheckpoints: Entity<StoredCheckpoint>
  readonly ledgerAnchors: Entity<AnchorState>
  readonly quarantine: Entity<QuarantinedMessage>
  readonly backupStatus: () => Promise<Parameters<typeof backupFinding>[0]>
  readonly profiler: Profiler
  readonly roles: Roles
}

/**
 * Looks at everything once. No check reads more than some documents: the time does not grow with the data. A check that
 * fails is a finding itself.
 */
export async function diagnose(admin: Admin, parts: DoctorParts): Promise<Diagnosis> {
  const { database } = admin
  const at = database.clock.now()
  const checks: readonly (readonly [DiagnosisCheck, () => Promise<Finding | readonly Finding[]>])[] = [
    // First: the look at what is kept puts it back, too.
    ['profiler', () => profilerFinding(parts.profiler)],
    ['version', () => versionFinding(admin, at)],
    ['replica set', () => replicaSetFinding(admin)],
    ['write concern', () => writeConcernFinding(admin)],
    ['access control', () => accessFindings(admin, parts.roles.definitions())],
    ['setup', async () => setupFinding(await setUpCollections(database, parts.entities(), true))],
    ['kept work', () => keptWorkFindings(database)],
    ['ledger', () => ledgerFindings(database, parts, at)],
    ['quarantine', () => quarantineFinding(outside(database, parts.quarantine), at)],
    ['backup', async () => backupFinding(await parts.backupStatus())],
    ['TTL', () => timeToLiveFinding(admin)],
    ['clock', () => clockFinding(admin)],
    ['disk', () => diskFinding(admin)],
  ]
  const findings: Finding[] = []
  for (const [check, look] of checks) findings.push(...(await found(check, look)))
  return { at, isHealthy: findings.every(({ state }) => state === 'ok' || state === 'unknown'), findings }
}

async function found(
  check: DiagnosisCheck,
  look: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return [await look()].flat()
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    if (error.code === 'CONNECTION' || error.code === 'CLOSED') throw error
    return [unknown(check, `Could not be looked at: ${error.message}`)]
  }
}

async function ledgerFindings(database: Database, parts: DoctorParts, at: Date): Promise<Finding[]> {
  const entries = outside(database, parts.ledger)
  const checkpoints = outside(database, parts.ledgerCheckpoints)
  const anchors = await outside(database, parts.ledgerAnchors).for('doctor').find({}, { limit: 20 })
  return [await ledgerFinding({ entries, checkpoints }, at), ...anchorFindings(anchors, at)]
}

async function profilerFinding(profiler: Profiler): Promise<Finding> {
  return (await profiler.restoreExpired())
    ? warning(
        'profiler',
        'A process that is gone had left the profiler on: it was put back to what it was',
        'Nothing; see what ended that process',
      )
    : ok('profiler', 'The profiler is as it was set')
}

function outside<Stored extends Identified>(database: Database, entity: Entity<Stored>): EntityCollection<Stored> {
  return database.of(entity, { isOutside: true })
}
