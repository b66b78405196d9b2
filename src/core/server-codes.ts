/** The numbers by which MongoDB's server names the errors that the library acts on. */
export const serverCode = {
  badValue: 2,
  unauthorized: 13,
  illegalOperation: 20,
  indexNotFound: 27,
  namespaceExists: 48,
  documentValidationFailure: 121,
  duplicateKey: 11_000,
  indexBuildInProgress: 12_587,
  changeStreamNeedsReplicaSet: 40_573,
} as const
