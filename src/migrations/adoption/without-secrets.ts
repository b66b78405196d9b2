import type { Document } from 'mongodb'
import { redactCredentials } from '../../core/redact.js'
import type { AdoptionMapping } from './mapping/mapping.js'

/** Fields that hold passwords, tokens, keys, wallets and proofs of identity somewhere in the origin systems, in clear or as a hash. */
const secretName =
  /^(password|passwd|.*secret|.*token|.*tokens|otp|otp_expires|twofa_.*|api_?keys?|resetPassword.*|connectionString|rawPayload|telemetry|key|key_hash|auth|password_hash|wallet_address|.*balance|kyc_.*|two_factor_.*)$/i
/** Names, in small letters with underscores, that forks and hosts give to secrets. A flag or a time under such a name is none. */
const secretWords =
  /password|passwd|passphrase|passcode|secret(?!ar)|token|credential|mnemonic|(^|_)(pass|pwd|psk|t?otp|jwt|cookies?|authorization)(_|$)|(private|access|api|encryption|signing|ssh|wifi|master)_?keys?|(backup|recovery|verification|security|login|pin)_?codes?|(seed|recovery)_?(phrase|words)/
/** A text that says a secret beside its name, such as a message or a request that was logged as it came. */
const namedInText =
  /(\b\w{0,40}?(?:password|passwd|passphrase|passcode|pwd|secret|token|api_?key|credential)\w{0,40}\\?["']?\s{0,5}[:=]\s{0,5}\\?["']?)([^\s"'\\,;&}]+)/gi
const bearer = /(\bbearer\s+)([^\s"',;]+)/gi
const hidden = '***'

/** The fields whose values are secrets in the public versions; a mapping says what a fork calls them. */
const secretFields: ReadonlySet<string> = new Set(['password', 'password_hash', 'auth', 'deviceSecret'])
/** Shorter ones are words that are found anywhere. */
const startLength = 8

/** What is secret in a database of the origin: fields by their names, and texts that are known to be secrets wherever they are. */
export class OriginSecrets {
  readonly #names: ReadonlySet<string>
  readonly #byStart = new Map<string, string[]>()

  /** @param values Secrets of devices and passwords as they were typed, which logs may repeat. */
  constructor(mapping?: AdoptionMapping, values: Iterable<string> = []) {
    this.#names = new Set(Object.values(mapping?.collections ?? {}).flatMap(({ fields }) => namesIn(fields)))
    for (const value of new Set(values)) {
      if (value.length < startLength) continue
      const start = value.slice(0, startLength)
      this.#byStart.set(
        start,
        [...(this.#byStart.get(start) ?? []), value].sort((a, b) => b.length - a.length),
      )
    }
  }

  /** The document without anything that looks like a secret, at any depth: also the raw messages in logs, which hold devices' secrets. */
  without(document: Document): Document {
    return this.#cleaned(document) as Document
  }

  /** The text with `***` for what is a secret in it. */
  hideIn(text: string): string {
    return redactCredentials(this.hideKnownIn(text)).replace(namedInText, `$1${hidden}`).replace(bearer, `$1${hidden}`)
  }

  #cleaned(value: unknown): unknown {
    if (typeof value === 'string') return this.hideIn(value)
    if (Array.isArray(value)) return value.map((one) => this.#cleaned(one))
    if (!isPlain(value)) return value
    const kept = Object.entries(value).filter(([name, member]) => !this.#isSecret(name, member))
    return Object.fromEntries(kept.map(([name, member]) => [name, this.#cleaned(member)]))
  }

  #isSecret(name: string, value: unknown): boolean {
    if (this.#names.has(name) || secretName.test(name)) return true
    const isHarmless = typeof value === 'boolean' || value instanceof Date || value === null
    if (isHarmless) return false
    const plain = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
    // The pin of a relay has three digits at most.
    return secretWords.test(plain) || (/(^|_)pin$/.test(plain) && String(value).length > 3)
  }

  /** The text with `***` for secrets of devices and passwords that are known. */
  hideKnownIn(text: string): string {
    if (this.#byStart.size === 0) return text
    let shown = ''
    let from = 0
    for (let at = 0; at + startLength <= text.length; ) {
      const found = this.#byStart.get(text.slice(at, at + startLength))?.find((value) => text.startsWith(value, at))
      if (found === undefined) at += 1
      else {
        shown += `${text.slice(from, at)}${hidden}`
        at += found.length
        from = at
      }
    }
    return shown + text.slice(from)
  }
}

/** What a database calls the fields that hold secrets. */
function namesIn(fields: AdoptionMapping['collections'][string]['fields']): string[] {
  return Object.entries(fields).flatMap(([field, { from }]) =>
    secretFields.has(field) ? [from.slice(from.lastIndexOf('.') + 1)] : [],
  )
}

/** Dates and the driver's own types are values. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
