import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { clientFields } from '../client.js'
import { tokenHashField } from '../secret-token.js'

/** Why a session has ended before its time. */
const endings = [
  /** Its user signed out. */
  'signed_out',
  /** Its user, or an administrator, ended it from elsewhere. */
  'revoked',
  /** The user has signed in on more devices than are allowed. */
  'surplus',
  /** A refresh token was used twice: somebody else may have it. */
  'token_reused',
  /** The password, a provider, the role or the status of its user was changed, or the user was deleted. */
  'user_changed',
] as const
export type SessionEnding = (typeof endings)[number]

/** How long what has ended is kept, so that a token that is shown late still finds its family. */
const keptForSeconds = 86_400

/**
 * A session of a user on one device, and with it the family of all refresh tokens that follow from one sign-in. Of tokens
 * only hashes are kept.
 */
export const sessionEntity = defineEntity({
  name: 'session',
  collection: 'user_sessions',
  personal: { subjects: { user: { onErasure: 'delete document' } } },
  fields: {
    user: objectId(),
    /** The hash of the token that requests show. */
    tokenHash: tokenHashField(),
    /** The hash of what all refresh tokens of the family have in common: it distinguishes a former token from an invented one. */
    familyHash: tokenHashField(),
    /** The hash of the refresh token that can be used now. */
    refreshHash: tokenHashField(),
    /** The refresh token before, once there is one. */
    predecessor: z
      .strictObject({
        hash: tokenHashField(),
        usedAt: z.date(),
        /** With that token it gives the present tokens. */
        salt: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
      })
      .optional(),
    /** When the user authenticated. */
    authenticatedAt: z.date(),
    /** To within a minute. */
    lastUsedAt: z.date(),
    /** When it ends unless it is used. */
    expiresAt: z.date(),
    /** When it ends however much it is used. */
    endsAt: z.date(),
    revokedAt: z.date().nullable(),
    revokedFor: z.enum(endings).optional(),
    client: clientFields(),
  },
  rules: [
    {
      path: 'expiresAt',
      message: 'expected no instant after endsAt',
      check: ({ expiresAt, endsAt }) => !(expiresAt instanceof Date && endsAt instanceof Date) || expiresAt <= endsAt,
      expression: { $lte: ['$expiresAt', '$endsAt'] },
    },
  ],
  indexes: [
    { key: { tokenHash: 1 }, unique: true, serves: 'the session whose token a request shows' },
    {
      key: { user: 1, authenticatedAt: -1, _id: -1 },
      partialFilterExpression: { revokedAt: null },
      serves: 'the sessions of a user that were not ended',
    },
    {
      key: { endsAt: 1 },
      expireAfterSeconds: keptForSeconds,
      serves: 'nobody: the server removes what has ended a day ago',
    },
  ],
})

export type StoredSession = Stored<typeof sessionEntity>

/** A session as it may be shown to its user. */
export type Session = Pick<
  StoredSession,
  '_id' | 'user' | 'authenticatedAt' | 'lastUsedAt' | 'expiresAt' | 'endsAt' | 'client'
>

/** The fields of {@link Session}, for the server. */
export const shownOfSession = {
  user: 1,
  authenticatedAt: 1,
  lastUsedAt: 1,
  expiresAt: 1,
  endsAt: 1,
  client: 1,
} as const

export function shownSession(session: Session): Session {
  const { _id, user, authenticatedAt, lastUsedAt, expiresAt, endsAt, client } = session
  return { _id, user, authenticatedAt, lastUsedAt, expiresAt, endsAt, client }
}
