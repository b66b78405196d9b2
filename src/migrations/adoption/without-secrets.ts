import type { Document } from 'mongodb'

/** Fields that hold passwords, tokens, keys, wallets and proofs of identity somewhere in the origin systems, in clear or as a hash. */
const secretName =
  /^(password|passwd|.*secret|.*token|.*tokens|otp|otp_expires|twofa_.*|api_?keys?|resetPassword.*|connectionString|rawPayload|telemetry|key|key_hash|auth|password_hash|wallet_address|.*balance|kyc_.*|two_factor_.*)$/i

/** The document without anything that looks like a secret, at any depth: also the raw messages in logs, which hold devices' secrets. */
export function withoutSecrets(document: Document): Document {
  return cleaned(document) as Document
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned)
  if (!isPlain(value)) return value
  const kept = Object.entries(value).filter(([name]) => !secretName.test(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, cleaned(member)]))
}

/** Dates and the driver's own types are values. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
