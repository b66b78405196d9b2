/** The types that a host meets where people are shown what is held about them, and are erased. */

export type { DataAccess } from '../activity/data-access.js'
export type { DataAccessLogOptions } from '../activity/data-access-log.js'
export type {
  PersonalDeclaration,
  PersonalFields,
  PersonalKeep,
  PersonalMentions,
  PersonalSubject,
} from '../core/personal-fields.js'
export type { DataAccessOptions } from './data-accesses.js'
export type { ErasedCollection, Erasure, ErasureReport } from './erasure.js'
export type { Hold } from './hold.js'
export type { ErasedPerson } from './privacy-inputs.js'
export type { HoldOptions, PrivacyService } from './privacy-service.js'
export type { PseudonymousQuestion, PseudonymousRow } from './pseudonymous-rows.js'
