import { z } from 'zod'
import { defineEntity, type Stored } from './entity.js'

/** A pool has fewer sessions; those before have long ended. */
export const maximumSessions = 100

/** Lease: who may do what only one process may do at a time. Times are the database's own, so clocks need not agree. */
export const leaseEntity = defineEntity({
  name: 'lease',
  collection: 'leases',
  personal: 'none',
  fields: {
    name: z.string().min(1).max(200),
    owner: z.string().min(1).max(100),
    /** Who that is, for people: its process and machine. */
    holder: z.string().min(1).max(300).optional(),
    /** Grows with every change of owner, and with nothing else. */
    fence: z.int().min(1),
    expiresAt: z.date(),
    /** The database sessions of the holder's transactions, in hexadecimal: the next holder ends them first. */
    sessions: z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(maximumSessions),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'acquire and renew by name' }],
})

export type StoredLease = Stored<typeof leaseEntity>
