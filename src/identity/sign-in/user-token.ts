import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { tokenHashField } from '../secret-token.js'

const purposes = ['reset_password', 'verify_email'] as const
/** What a token is good for. */
export type TokenPurpose = (typeof purposes)[number]

/** A proof that somebody gets the mail of a user's address, which is good once. Of its text only a hash is kept. */
export const userTokenEntity = defineEntity({
  name: 'user token',
  collection: 'user_tokens',
  personal: { subjects: { user: { onErasure: 'delete document' } } },
  fields: {
    user: objectId(),
    /** What it is good for. */
    purpose: z.enum(purposes),
    tokenHash: tokenHashField(),
    /** The address that it was made for: a user who gets another one has other proofs to give. */
    email: z.string().min(3).max(254),
    expiresAt: z.date(),
  },
  indexes: [
    { key: { tokenHash: 1 }, unique: true, serves: 'the token that somebody shows' },
    {
      key: { user: 1, purpose: 1 },
      unique: true,
      serves: 'the one token of a user for a purpose: a newer one replaces it',
    },
    { key: { expiresAt: 1 }, expireAfterSeconds: 0, serves: 'nobody: the server removes what has expired' },
  ],
})

export type UserToken = Stored<typeof userTokenEntity>
