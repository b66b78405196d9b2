import { DatabaseError } from '../core/errors.js'
import type { Decoded } from './pipeline.js'
import type { RawMessage } from './quarantine-store.js'

/** Errors of the library that only the message itself can have caused. */
const causedByMessage = new Set(['VALIDATION', 'CONFLICT', 'KEY_RING', 'ARCHIVED'])

/**
 * Processes the batch; where it fails for a reason that lies in a message, the message is found and refused, so that one bad
 * message cannot hold up the others for ever. Whatever the database causes is thrown: it passes.
 */
export async function processIsolating<Message extends RawMessage>(
  batch: readonly Decoded<Message>[],
  process: (batch: readonly Decoded<Message>[]) => Promise<void>,
): Promise<void> {
  try {
    await process(batch)
  } catch (error) {
    if (!isCausedByMessage(error)) throw error
    const [first] = batch
    if (first === undefined) throw error
    if (batch.length === 1) {
      await process([
        {
          message: first.message,
          decoding: { reason: 'failed', detail: `it could not be processed (${describe(error)})` },
        },
      ])
      return
    }
    const half = Math.ceil(batch.length / 2)
    await processIsolating(batch.slice(0, half), process)
    await processIsolating(batch.slice(half), process)
  }
}

function isCausedByMessage(error: unknown): boolean {
  return error instanceof DatabaseError ? causedByMessage.has(error.code) : true
}

/** The kind of the error; its text could hold something of the message. */
function describe(error: unknown): string {
  if (error instanceof DatabaseError) return error.code
  return error instanceof Error ? error.name : 'unknown'
}
