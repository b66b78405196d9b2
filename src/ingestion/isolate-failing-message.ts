import { errorCauseOf } from './error-cause.js'
import { kindOf } from './error-kind.js'
import type { Decoded } from './pipeline.js'
import type { RawMessage } from './raw-message.js'

type Process<Message extends RawMessage> = (batch: readonly Decoded<Message>[]) => Promise<void>

/**
 * Processes the batch. Where a message is the cause of a failure, it is found by halving and refused, so that one bad message
 * cannot block the others. A batch that was too large is processed in parts. Errors of the environment are thrown: they pass.
 */
export async function isolateFailingMessage<Message extends RawMessage>(
  batch: readonly Decoded<Message>[],
  process: Process<Message>,
): Promise<void> {
  try {
    await process(batch)
  } catch (error) {
    const cause = errorCauseOf(error)
    const [first] = batch
    if (cause === 'environment' || first === undefined) throw error
    if (batch.length > 1) {
      const half = Math.ceil(batch.length / 2)
      await isolateFailingMessage(batch.slice(0, half), process)
      await isolateFailingMessage(batch.slice(half), process)
    } else if (cause === 'message') await processOrRefuse(first, process)
    else throw error
  }
}

/** Tries the message again, for another process may have been in the way; if it fails again, it is refused. */
async function processOrRefuse<Message extends RawMessage>(
  one: Decoded<Message>,
  process: Process<Message>,
): Promise<void> {
  try {
    await process([one])
  } catch (error) {
    if (errorCauseOf(error) !== 'message') throw error
    const detail = `it could not be processed (${kindOf(error)})`
    await process([{ message: one.message, decoding: { reason: 'failed', detail } }])
  }
}
