// The changes of devices as server-sent events. A browser that was away goes on where it was: it sends the id of the last event.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AutoVolt, DatabaseError } from '@autovolt/data'

/** Answers until the browser goes, or the service ends. */
export async function sendChanges(
  volt: AutoVolt,
  request: IncomingMessage,
  response: ServerResponse,
  ending: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, ending])
  const lastId = request.headers['last-event-id']
  const resume = typeof lastId === 'string' ? { resumeAfter: { _data: lastId } } : {}
  // What is wrong with the request is an error before the first byte.
  const changes = await volt.devices.watch({}, { ...resume, signal })
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(': the changes of devices\n\n')
  try {
    for await (const { type, id, document, resumeToken } of changes) {
      const data = JSON.stringify({ type, id, device: document })
      const isRoomLeft = response.write(`id: ${resumeToken._data}\nevent: device\ndata: ${data}\n\n`)
      if (!isRoomLeft) await drained(response, signal)
    }
  } catch (error) {
    // The oplog does not reach back that far: the browser has to read the devices afresh, and begins without an id.
    if (!(error instanceof DatabaseError && error.code === 'HISTORY_LOST')) throw error
    response.write('id:\nevent: reset\ndata: {}\n\n')
  } finally {
    response.end()
  }
}

/** A browser that reads slowly is waited for, so memory stays bounded. */
function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
