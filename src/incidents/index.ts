export type { Alert } from './alerts/alert.js'
export type { AlertClearing, AlertInput, AlertOptions, AlertResolveOptions } from './alerts/alert-input.js'
export type { RaisedAlert } from './alerts/alert-store.js'
export type { Alerts } from './alerts/alerts.js'
export type { AlertStatistics, AlertTrend, AlertTrendsQuestion, OpenAlerts } from './answers/alert-statistics.js'
export type { CaseStatistics, OpenCases } from './answers/case-statistics.js'
export type { Durations } from './answers/durations.js'
export type { Case, CaseStatus } from './cases/case.js'
export type {
  CaseChangeOptions,
  CaseChanges,
  CaseComment,
  CaseInput,
  CaseMoveOptions,
  CaseSearchQuestion,
} from './cases/case-input.js'
export type { Cases, FoundCase, OriginTimes } from './cases/cases.js'
export type { IncidentOptions } from './incident-options.js'
export type { Escalation, EscalationInput } from './response/escalation.js'
export type { IncidentRun, IncidentRunOptions, IncidentStartOptions, Incidents } from './response/incidents.js'
export type { MaintenanceWindow, MaintenanceWindowInput } from './response/maintenance-window.js'
export type { AlertRule, AlertRuleInput } from './rules/alert-rule.js'
export type { AlertRuleRunOptions, AlertRuleStartOptions, AlertRules } from './rules/alert-rules.js'
export type { AlertRuleRun } from './rules/rule-worker.js'
export type { Priority, Severity } from './severity.js'
