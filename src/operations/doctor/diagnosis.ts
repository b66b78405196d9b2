/** What the doctor looks at. */
export type DiagnosisCheck =
  | 'version'
  | 'replica set'
  | 'write concern'
  | 'access control'
  | 'roles'
  | 'setup'
  | 'ledger'
  | 'kept work'
  | 'quarantine'
  | 'backup'
  | 'TTL'
  | 'clock'
  | 'profiler'
  | 'disk'

/** Finding: what one check has found. */
export interface Finding {
  readonly check: DiagnosisCheck
  /** `unknown` where the role does not let it be known. */
  readonly state: 'ok' | 'warning' | 'problem' | 'unknown'
  /** What is so, in one sentence. */
  readonly message: string
  /** What to do; null where there is nothing to do, or the message says it. */
  readonly advice: string | null
}

/** Diagnosis: what is wrong with a database, and what to do. */
export interface Diagnosis {
  readonly at: Date
  /** Whether no check found a problem or a warning. */
  readonly isHealthy: boolean
  readonly findings: readonly Finding[]
}

export const ok = (check: DiagnosisCheck, message: string): Finding => ({ check, state: 'ok', message, advice: null })

export const unknown = (check: DiagnosisCheck, message: string): Finding => ({
  check,
  state: 'unknown',
  message,
  advice: null,
})

export const warning = (check: DiagnosisCheck, message: string, advice: string): Finding => ({
  check,
  state: 'warning',
  message,
  advice,
})

export const problem = (check: DiagnosisCheck, message: string, advice: string): Finding => ({
  check,
  state: 'problem',
  message,
  advice,
})
