import type { Database } from '../core/database.js'
import { Repository } from '../core/repository/repository.js'
import type { AnalyticsService } from '../energy/analytics/analytics-service.js'
import type { Notifications } from '../notifications/notifications.js'
import { alertEntity } from './alerts/alert.js'
import { Alerts } from './alerts/alerts.js'
import { caseEntity } from './cases/case.js'
import { Cases } from './cases/cases.js'
import { DueTimes, type WorkingSiteEntities } from './cases/due-times.js'
import { type IncidentOptions, incidentLimitsOf } from './incident-options.js'
import { Correlator } from './response/correlator.js'
import { type Escalation, type EscalationInput, escalationEntity } from './response/escalation.js'
import { Escalator } from './response/escalator.js'
import { Incidents } from './response/incidents.js'
import { Maintenance } from './response/maintenance.js'
import {
  type MaintenanceWindow,
  type MaintenanceWindowInput,
  maintenanceWindowEntity,
} from './response/maintenance-window.js'
import { alertRuleEntity } from './rules/alert-rule.js'
import { AlertRules } from './rules/alert-rules.js'
import { alertCursorEntity, alertStateEntity } from './rules/alert-state.js'
import { BudgetCheck, UnusualEnergyCheck } from './rules/checks/energy-checks.js'
import { AnchorCheck, BackupCheck, type LibraryCheckEntities, QuarantineCheck } from './rules/checks/library-checks.js'
import { OfflineCheck } from './rules/checks/offline-check.js'
import { RuleAlerts } from './rules/rule-alerts.js'
import { type RuleReadingEntities, RuleReadings } from './rules/rule-readings.js'
import { type RuleTargetEntities, RuleTargets } from './rules/rule-targets.js'
import { RuleWorker } from './rules/rule-worker.js'
import { StateRules } from './rules/state-rules.js'

export type { IncidentOptions } from './incident-options.js'

export type IncidentsCollection =
  | 'cases'
  | 'alerts'
  | 'alertRules'
  | 'alertStates'
  | 'alertCursors'
  | 'maintenanceWindows'
  | 'escalations'

export const incidentsEntities = {
  cases: caseEntity,
  alerts: alertEntity,
  alertRules: alertRuleEntity,
  alertStates: alertStateEntity,
  alertCursors: alertCursorEntity,
  maintenanceWindows: maintenanceWindowEntity,
  escalations: escalationEntity,
} satisfies Record<IncidentsCollection, object>

/** What incidents bring to the handle. */
export interface IncidentsServices {
  /** What is wrong, and what becomes of it. */
  readonly cases: Cases
  /** What was noticed. */
  readonly alerts: Alerts
  /** When alerts are opened and closed by themselves. */
  readonly alertRules: AlertRules
  /** Times in which rules open nothing. */
  readonly maintenanceWindows: Repository<MaintenanceWindow, MaintenanceWindowInput>
  /** Who is notified of alerts that nobody has acknowledged. */
  readonly escalations: Repository<Escalation, EscalationInput>
  /** What is done about alerts: cases for them, and people who are notified. */
  readonly incidents: Incidents
}

type Entities = typeof incidentsEntities &
  WorkingSiteEntities &
  RuleTargetEntities &
  RuleReadingEntities &
  LibraryCheckEntities

/** What incidents need of other domains. */
export interface IncidentsNeeds {
  readonly notifications: Notifications
  readonly analytics: AnalyticsService
}

/** @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
export function openIncidents(
  database: Database,
  entities: Entities,
  { notifications, analytics }: IncidentsNeeds,
  options: IncidentOptions,
): IncidentsServices {
  const dueTimes = new DueTimes(database, entities, incidentLimitsOf(options))
  const cases = new Cases(database, entities.cases, dueTimes)
  const alerts = new Alerts(database, entities.alerts, entities)
  const maintenance = new Maintenance(database, entities.maintenanceWindows)
  const targets = new RuleTargets(database, entities)
  const worker = new RuleWorker(database, {
    rules: entities.alertRules,
    states: entities.alertStates,
    cursors: entities.alertCursors,
    targets,
    readings: new RuleReadings(database, entities),
    alerts: new RuleAlerts(database, entities.alertStates, alerts),
    stateRules: new StateRules(database, {
      alertEntity: entities.alerts,
      alerts,
      maintenance,
      checks: {
        device_offline: new OfflineCheck(database, entities.devices, targets),
        quarantine_growing: new QuarantineCheck(database, entities),
        anchor_late: new AnchorCheck(database, entities),
        backup_old: new BackupCheck(database, entities),
        energy_unusual: new UnusualEnergyCheck(analytics),
        budget_exceeded: new BudgetCheck(analytics),
      },
    }),
    maintenance,
  })
  return {
    cases,
    alerts,
    alertRules: new AlertRules(database, entities.alertRules, worker),
    maintenanceWindows: new Repository(database, entities.maintenanceWindows),
    escalations: new Repository(database, entities.escalations),
    incidents: new Incidents(
      database,
      new Correlator(database, entities, cases),
      new Escalator(database, entities, notifications),
    ),
  }
}
