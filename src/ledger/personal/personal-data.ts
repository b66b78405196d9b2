import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { sha256 } from '../entry/sha256.js'

/**
 * Personal data: what is personal about an entry. It is kept beside the ledger, where it can be erased; the entry has a
 * commitment to it.
 */
export const personalDataEntity = defineAppendOnlyEntity({
  name: 'personal data',
  collection: 'ledger_personal_data',
  personal: {
    mentions: { in: ['text'], onErasure: 'delete document' },
    notPersonal: ['switchId', 'commitment', 'salt'],
  },
  fields: {
    switchId: objectId(),
    commitment: sha256(),
    /** 32 random bytes. */
    salt: sha256(),
    /** JSON. */
    text: z.string().max(1_000_000),
  },
  shardKey: { switchId: 1 },
  indexes: [{ key: { switchId: 1, commitment: 1 }, unique: true, serves: 'the personal data of an entry' }],
})
export type PersonalData = Stored<typeof personalDataEntity>
