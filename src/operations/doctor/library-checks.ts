import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Identified } from '../../core/entity.js'
import type { SetupReport } from '../../core/setup/set-up.js'
import { type Finding, ok, problem, warning } from './diagnosis.js'

const hourMs = 3_600_000
const oldBackupMs = 26 * hourMs
const oldAnchorMs = hourMs
const manyQuarantined = 100
const shownDrift = 5

/** Whether collections, validators and indexes are as they are declared. */
export function setupFinding({ isComplete, collections, obstacles }: SetupReport): Finding {
  if (isComplete) return ok('setup', `${collections.length} collections are as declared`)
  const differing = collections.filter(({ state }) => state !== 'same')
  const names = differing.slice(0, shownDrift).map(({ collection, state }) => `${collection} ${state}`)
  const more = differing.length > names.length ? ` and ${differing.length - names.length} more` : ''
  // Whoever asks the doctor need not be allowed to run setup().
  const [obstacle] = obstacles.filter(({ kind }) => kind !== 'privilege')
  return problem(
    'setup',
    obstacle === undefined
      ? `Not as declared: ${names.join(', ')}${more}`
      : `setup() cannot be run: ${obstacle.collection} ${obstacle.problem}`,
    obstacle === undefined
      ? 'Run autovolt setup, or volt.setup(); --dry-run shows each difference'
      : `${obstacle.advice}`,
  )
}

/** What is behind, or slow without failing: the notices of `volt.health()`, which say what to do themselves. */
export async function keptWorkFindings({ selfCheck }: Database): Promise<Finding[]> {
  // Whether the database was set up is looked at by itself.
  const notices = (await selfCheck.notices()).filter(({ code }) => code !== 'NOT_SET_UP')
  return notices.length === 0
    ? [ok('kept work', 'Roll-ups, registers and checkpoints are up to date, as far as they are kept')]
    : notices.map(({ message }): Finding => ({ check: 'kept work', state: 'warning', message, advice: null }))
}

interface LedgerParts {
  readonly entries: EntityCollection<Identified>
  readonly checkpoints: EntityCollection<Identified & { readonly signedAt: Date; readonly size: number }>
}

/** How far the checkpoints have come. Whether what is stored is right is for `ledger verify` to say, which reads all of it. */
export async function ledgerFinding({ entries, checkpoints }: LedgerParts, now: Date): Promise<Finding> {
  const [count, newest] = await Promise.all([
    entries.estimatedCount(),
    checkpoints.for('doctor').findOne({}, { sort: { size: -1 } }),
  ])
  if (count === 0) return ok('ledger', 'The ledger has no entries')
  if (newest === null)
    return warning(
      'ledger',
      `The ledger has ${count} entries and no checkpoint`,
      'What nobody has signed can be rewritten without a trace: see "Checkpoints" in docs/ledger.md',
    )
  const ageMs = now.getTime() - newest.signedAt.getTime()
  const message = `The newest checkpoint covers ${newest.size} entries and is ${Math.round(ageMs / 60_000)} min old`
  return ageMs > oldAnchorMs && count > newest.size
    ? warning('ledger', message, 'Call volt.start() in a process that has the signer keys')
    : ok('ledger', message)
}

interface AnchorLook {
  readonly name: string
  readonly size: number
  readonly anchoredAt?: Date | undefined
  readonly failures: number
  readonly lastError?: string | undefined
}

/** Whether the places outside the database have what was signed. */
export function anchorFindings(anchors: readonly AnchorLook[], now: Date): Finding[] {
  return anchors.map(({ name, anchoredAt, failures, lastError }) => {
    const age = anchoredAt === undefined ? undefined : now.getTime() - anchoredAt.getTime()
    if (failures > 0)
      return problem(
        'ledger',
        `The anchor ${name} refused ${failures} times: ${lastError ?? 'no reason'}`,
        'See "Anchors" in docs/ledger.md',
      )
    if (age === undefined)
      return warning(
        'ledger',
        `The anchor ${name} has taken nothing yet`,
        'Call volt.start() in a process that has the signer keys',
      )
    return ok('ledger', `The anchor ${name} took a checkpoint ${Math.round(age / 60_000)} min ago`)
  })
}

/** Messages that could not be used, of the last day. */
export async function quarantineFinding(
  quarantine: EntityCollection<Identified & { readonly lastReceivedAt: Date }>,
  now: Date,
): Promise<Finding> {
  const since = new Date(now.getTime() - 24 * hourMs)
  const [found] = await quarantine
    .for('doctor')
    .aggregate<{ count: number }>([
      { $match: { lastReceivedAt: { $gte: since } } },
      { $limit: 10 * manyQuarantined },
      { $count: 'count' },
    ])
  const count = found?.count ?? 0
  const shown = count === 10 * manyQuarantined ? `${count} or more` : `${count}`
  return count > manyQuarantined
    ? warning(
        'quarantine',
        `${shown} messages of the last day could not be used`,
        'volt.quarantine.find() has their reasons; what was mended since is taken by replay',
      )
    : ok('quarantine', `${count} messages of the last day could not be used`)
}

interface BackupLook {
  readonly lastSuccessAt: Date | null
  readonly ageMs: number | null
  readonly failures: number
  readonly lastError: string | null
  readonly lastDrillAt: Date | null
}

export function backupFinding({ ageMs, failures, lastError, lastDrillAt }: BackupLook): Finding {
  if (ageMs === null)
    return warning(
      'backup',
      'The library has made no backup of this database on a schedule',
      'volt.backup.start(), or autovolt backup from a cron job; where backups are made otherwise, nothing is to be done',
    )
  const age = `The last backup is ${Math.round(ageMs / hourMs)} h old`
  if (failures > 0)
    return problem('backup', `${age}, and ${failures} failed since: ${lastError}`, 'See volt.backup.status()')
  if (ageMs > oldBackupMs)
    return problem('backup', age, 'See whether the process that called volt.backup.start() still runs')
  return lastDrillAt === null
    ? warning('backup', `${age}, and none was ever restored`, 'volt.backup.restoreDrill() restores the newest on trial')
    : ok('backup', age)
}
