import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'

/** What is personal about an entry. It is kept beside the ledger, where it can be erased; the entry has a commitment to it. */
export const personalDataEntity = defineAppendOnlyEntity({
  name: 'personal data',
  collection: 'ledger_personal_data',
  fields: {
    switchId: objectId(),
    commitment: z.string().regex(/^[0-9a-f]{64}$/),
    salt: z.string().regex(/^[0-9a-f]{64}$/),
    /** JSON. */
    text: z.string().max(1_000_000),
  },
  shardKey: { switchId: 1 },
  indexes: [{ key: { switchId: 1, commitment: 1 }, unique: true, serves: 'the personal data of an entry' }],
})
export type PersonalData = Stored<typeof personalDataEntity>
