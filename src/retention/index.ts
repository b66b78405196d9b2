/** The types that a host meets when it lets old documents go. */
export type { RetentionPolicy } from './policy.js'
export type { RetentionReport, RetentionService } from './retention.js'
export type { RetentionArchive } from './retention-archive.js'
export type { RetentionRun } from './retention-run.js'
