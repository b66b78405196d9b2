import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { providerName } from './auth-key.js'

const token = () => z.string().min(1).max(16_384).optional()

/** What the services of a provider are called with in the name of a user: sealed by the key ring, and never read with a user. */
export const providerTokenEntity = defineEntity({
  name: 'provider token',
  collection: 'user_provider_tokens',
  personal: { subjects: { user: { onErasure: 'delete document' } } },
  fields: { user: objectId(), provider: providerName() },
  secrets: { accessToken: token(), refreshToken: token() },
  indexes: [{ key: { user: 1, provider: 1 }, unique: true, serves: 'the tokens of a user at a provider' }],
})

export type ProviderToken = Stored<typeof providerTokenEntity>
export type ProviderTokenInput = Input<typeof providerTokenEntity>
