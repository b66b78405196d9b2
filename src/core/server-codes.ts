/** The numbers by which MongoDB's server names the errors that the library acts on. */
export const serverCode = {
  badValue: 2,
  userNotFound: 11,
  unauthorized: 13,
  illegalOperation: 20,
  namespaceNotFound: 26,
  indexNotFound: 27,
  roleNotFound: 31,
  namespaceExists: 48,
  documentValidationFailure: 121,
  commandNotSupportedOnView: 166,
  duplicateKey: 11_000,
  indexBuildInProgress: 12_587,
  changeStreamNeedsReplicaSet: 40_573,
  roleExists: 51_002,
  userExists: 51_003,
} as const
