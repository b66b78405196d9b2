/** The types that a host meets where people are shown what is held about them, and are erased. */
export type {
  PersonalDeclaration,
  PersonalFields,
  PersonalKeep,
  PersonalMentions,
  PersonalSubject,
} from '../core/personal-fields.js'
export type { ErasedCollection, Erasure, ErasureReport } from './erasure.js'
export type { Hold } from './hold.js'
export type { ErasedPerson, HoldOptions, PrivacyService } from './privacy-service.js'
export type { PseudonymousQuestion, PseudonymousRow } from './pseudonymous-rows.js'
