import { ObjectId } from 'mongodb'
import { derivedToken, newToken, tokenHash } from '../secret-token.js'

const idBytes = 12
const partBytes = 32
const refreshForm = /^[A-Za-z0-9_-]{102}$/

/** What the tokens of a session are made of. */
export interface TokenParts {
  readonly session: ObjectId
  /** The same in all refresh tokens of a family. */
  readonly family: string
  /** Another one with each refresh. */
  readonly secret: string
}

/** What a client is given, once. */
export interface SessionTokens {
  /** 256 random bits in base64url, for requests. */
  readonly token: string
  /** Gives new tokens, once. Only `refresh` takes it. */
  readonly refreshToken: string
}

/** The tokens as they are given and the hashes that are kept of them. */
export interface MintedTokens extends SessionTokens {
  readonly tokenHash: string
  readonly refreshHash: string
}

export function firstTokens(session: ObjectId): MintedTokens & { readonly familyHash: string } {
  const parts = { session, family: newToken(), secret: newToken() }
  return { ...minted(parts, newToken()), familyHash: tokenHash(parts.family) }
}

/**
 * The tokens that follow on a refresh token. They are computed from it and a random salt, so that the server, which keeps the salt
 * and hashes alone, can return them again to the holder of that refresh token, and to nobody else.
 */
export function tokensAfter(parts: TokenParts, salt: string): MintedTokens {
  const secret = derivedToken(parts.secret, salt, 'refresh token')
  return minted({ ...parts, secret }, derivedToken(parts.secret, salt, 'session token'))
}

function minted(parts: TokenParts, token: string): MintedTokens {
  const { session, family, secret } = parts
  const bytes = [session.id, Buffer.from(family, 'base64url'), Buffer.from(secret, 'base64url')]
  const refreshToken = Buffer.concat(bytes).toString('base64url')
  return { token, refreshToken, tokenHash: tokenHash(token), refreshHash: tokenHash(secret) }
}

/** The parts of a refresh token; undefined for what is none. */
export function partsOfRefreshToken(value: unknown): TokenParts | undefined {
  if (typeof value !== 'string' || !refreshForm.test(value)) return undefined
  const bytes = Buffer.from(value, 'base64url')
  if (bytes.length !== idBytes + 2 * partBytes || bytes.toString('base64url') !== value) return undefined
  const part = (from: number) => bytes.subarray(from, from + partBytes).toString('base64url')
  return {
    session: new ObjectId(bytes.subarray(0, idBytes)),
    family: part(idBytes),
    secret: part(idBytes + partBytes),
  }
}
