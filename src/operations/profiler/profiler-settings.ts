import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { anyValue } from '../../core/fields.js'

/**
 * Profiler settings: what the profiler of a database was set to before it was switched on for a time. Written before that, so
 * that any process can put it back.
 */
export const profilerSettingsEntity = defineEntity({
  name: 'profiler settings',
  collection: 'profiler_settings',
  personal: 'none',
  fields: {
    /** `profiler`: there is one of a database. */
    name: z.literal('profiler'),
    /** The answer of the server to the command `profile` before anything was changed. */
    former: z.record(z.string(), anyValue()),
    /** From when on any process puts the former settings back. */
    expiresAt: z.date(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'one process at a time changes the profiler' }],
})

export type ProfilerSettings = Stored<typeof profilerSettingsEntity>
