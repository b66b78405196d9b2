import { DatabaseError } from '../../src/core/errors.js'
import { ExportError } from '../../src/ledger/export/export-error.js'
import { UntrustedCheckpointError } from '../../src/ledger/log/checkpoint-text.js'
import { NoteError } from '../../src/ledger/log/signed-note.js'

/** Errors that tell a caller what was wrong with the call. */
const ours = [DatabaseError, ExportError, NoteError, UntrustedCheckpointError]

/** What the call has thrown that is no error of ours; undefined if there is none. What it has started is stopped. */
export async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    const settled = await call()
    await consume(settled)
    if (typeof settled === 'function') await settled()
    return undefined
  } catch (error) {
    return ours.some((kind) => error instanceof kind) ? undefined : error
  }
}

/** A generator does nothing before it is asked for its first value. A change stream would wait for one. */
async function consume(result: unknown): Promise<void> {
  if (typeof result !== 'object' || result === null || !('next' in result)) return
  const generator = result as AsyncGenerator
  await Promise.race([generator.next(), new Promise((resolve) => setTimeout(resolve, 200).unref())])
  void generator.return(undefined).catch(() => undefined)
}
