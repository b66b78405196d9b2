import type { BackupSchedule } from '../../../backup/schedule/schedule-entity.js'
import type { EntityCollection } from '../../../core/collection/entity-collection.js'
import type { Database } from '../../../core/database.js'
import type { Entity } from '../../../core/entity.js'
import type { QuarantinedMessage } from '../../../ingestion/quarantine.js'
import type { AnchorState, StoredCheckpoint } from '../../../ledger/log/log-entities.js'
import type { AlertRule } from '../alert-rule.js'
import { type FoundState, isBeyond, type StateCheck } from './state-check.js'

/** The entities that say how the library itself is doing. */
export interface LibraryCheckEntities {
  readonly quarantine: Entity<QuarantinedMessage>
  readonly ledgerCheckpoints: Entity<StoredCheckpoint>
  readonly ledgerAnchors: Entity<AnchorState>
  readonly backupSchedules: Entity<BackupSchedule>
}

const hourMs = 3_600_000
const mostCounted = 100_000

/** Messages of the last hour that could not be used. */
export class QuarantineCheck implements StateCheck {
  readonly restMs = 30_000
  readonly #messages: EntityCollection<QuarantinedMessage>

  constructor(database: Database, { quarantine }: LibraryCheckEntities) {
    this.#messages = database.of(quarantine).for('alertRules')
  }

  async find(rule: AlertRule, nowMs: number, isOpen: (subject: string) => boolean): Promise<FoundState[]> {
    const [found] = await this.#messages.aggregate<{ readonly count: number }>([
      { $match: { lastReceivedAt: { $gte: new Date(nowMs - hourMs) } } },
      { $limit: mostCounted },
      { $count: 'count' },
    ])
    const value = found?.count ?? 0
    const subject = 'quarantine'
    if (!isBeyond(value, rule, isOpen(subject))) return []
    const message = `${value} messages of the last hour could not be used`
    return [{ subject, at: new Date(nowMs), message, value }]
  }
}

/** Anchors that do not have the newest checkpoint, and took the last one long ago. */
export class AnchorCheck implements StateCheck {
  readonly restMs = 30_000
  readonly #checkpoints: EntityCollection<StoredCheckpoint>
  readonly #anchors: EntityCollection<AnchorState>

  constructor(database: Database, { ledgerCheckpoints, ledgerAnchors }: LibraryCheckEntities) {
    this.#checkpoints = database.of(ledgerCheckpoints).for('alertRules')
    this.#anchors = database.of(ledgerAnchors).for('alertRules')
  }

  async find({ holdMs }: AlertRule, nowMs: number): Promise<FoundState[]> {
    const newest = await this.#checkpoints.findOne({}, { sort: { size: -1 } })
    if (newest === null) return []
    const anchors = await this.#anchors.find({ size: { $lt: newest.size } })
    return anchors.flatMap(({ name, anchoredAt, lastError }) => {
      const lateMs = (anchoredAt ?? newest.signedAt).getTime() + holdMs
      if (lateMs > nowMs) return []
      const reason = lastError === undefined ? '' : `: ${lastError}`
      const message = `The anchor ${name} does not have the newest checkpoint${reason}`
      return [{ subject: `anchor:${name}`.slice(0, 100), at: new Date(lateMs), message }]
    })
  }
}

/** Backups on a schedule whose last success was long ago. */
export class BackupCheck implements StateCheck {
  readonly restMs = 30_000
  readonly #schedules: EntityCollection<BackupSchedule>

  constructor(database: Database, { backupSchedules }: LibraryCheckEntities) {
    this.#schedules = database.of(backupSchedules).for('alertRules')
  }

  async find({ holdMs }: AlertRule, nowMs: number): Promise<FoundState[]> {
    const schedules = await this.#schedules.find({})
    return schedules.flatMap(({ name, lastSuccessAt, createdAt, lastError }) => {
      const lateMs = (lastSuccessAt ?? createdAt).getTime() + holdMs
      if (lateMs > nowMs) return []
      const last = lastSuccessAt === undefined ? 'None was made' : `The last was made at ${lastSuccessAt.toISOString()}`
      const reason = lastError === undefined ? '' : `: ${lastError}`
      return [{ subject: `backup:${name}`, at: new Date(lateMs), message: `${last}, of the schedule ${name}${reason}` }]
    })
  }
}
