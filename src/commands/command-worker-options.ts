import { z } from 'zod'
import type { Transport } from './transport.js'

export interface CommandWorkerOptions {
  /** What devices are reached by. */
  readonly transports: readonly Transport[]
  /** How many commands are taken at a time. @default 100 */
  readonly batch?: number
  /** How often the queue is looked at where nothing says that there is something in it. @default 1_000 */
  readonly pollMs?: number
  /** How long a worker may take for what it has claimed; after that another takes over. @default 10_000 */
  readonly leaseMs?: number
}

const isTransport = (value: unknown) =>
  typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function'
export const workerOptions = z.strictObject({
  transports: z
    .array(z.custom<Transport>(isTransport, { error: 'expected a transport' }))
    .min(1)
    .max(20),
  batch: z.int().min(1).max(1_000).default(100),
  pollMs: z.int().min(10).max(60_000).default(1_000),
  leaseMs: z.int().min(1_000).max(600_000).default(10_000),
})
