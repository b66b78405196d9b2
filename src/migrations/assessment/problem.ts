/** Why migrations cannot go on before somebody has decided. */
export type ProblemKind =
  /** It was changed after it had been applied. */
  | 'edited'
  /** It is applied, and its file or object is gone. */
  | 'missing'
  /** It is not applied, though later ones are. */
  | 'late'
  /** A function of it failed outside a transaction. */
  | 'failed'
  /** Its process ended within a function outside a transaction. */
  | 'interrupted'
  /** A newer version of the program has applied it. */
  | 'newer'

export interface MigrationProblem {
  readonly kind: ProblemKind
  /** The id of the migration. */
  readonly migration: string
  readonly message: string
  /** What to do. */
  readonly next: string
  /** Of an edited one: the checksum when it was applied, and now. */
  readonly recordedChecksum?: string
  readonly foundChecksum?: string
}

export function editedProblem(migration: string, recordedChecksum: string, foundChecksum: string): MigrationProblem {
  return {
    kind: 'edited',
    migration,
    recordedChecksum,
    foundChecksum,
    message: `${migration} was changed after it had been applied: its checksum was ${recordedChecksum} and is ${foundChecksum}`,
    next: `undo the change and put it into a new migration; if the database is as the changed one would have left it: autovolt migrate repair ${migration} --applied`,
  }
}

export function missingProblem(migration: string): MigrationProblem {
  return {
    kind: 'missing',
    migration,
    message: `${migration} is applied, and is not among the migrations any more`,
    next: `bring it back; if it is gone for good: autovolt migrate repair ${migration} --not-applied`,
  }
}

export function newerProblem(migration: string, packageVersion: string): MigrationProblem {
  return {
    kind: 'newer',
    migration,
    message: `${migration} is applied, comes after all that this program knows, and was run with version ${packageVersion} of the package`,
    next: `start the version of the program that has it; if it was deleted for good: autovolt migrate repair ${migration} --not-applied`,
  }
}

export function lateProblem(migration: string, applied: string): MigrationProblem {
  return {
    kind: 'late',
    migration,
    message: `${migration} is not applied, and ${applied}, which comes after it, is`,
    next: `give it a later id; or let late ones run, with the option late: 'run' (--late run)`,
  }
}

/** A function outside a transaction was begun, and did not end well. */
export function halfDoneProblem(
  kind: 'failed' | 'interrupted',
  migration: string,
  direction: 'up' | 'down',
  step: number,
  error: string | undefined,
): MigrationProblem {
  const what = direction === 'up' ? migration : `The rollback of ${migration}`
  const how = kind === 'failed' ? `failed: ${error ?? 'unknown'}` : 'was broken off: its process has ended'
  return {
    kind,
    migration,
    message: `${what} ${how}. Its step ${step} runs outside a transaction, and may be half done`,
    next: `look at the data; then say how it is: autovolt migrate repair ${migration} --retry (what the step did is undone, or can be done again), --applied (all of the migration is done) or --not-applied (nothing of it is there)`,
  }
}
