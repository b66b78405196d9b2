export type { BlindIndex, BlindIndexes, BlindIndexOptions, FindableSecrets } from '../blind-index.js'
export type { SecretNames, WithSecrets } from '../secret-names.js'
export type { ErasableSecrets, Revealed, SealedFor } from './sealed-for.js'
export type { SubjectKeyStore } from './subject-key-store.js'
