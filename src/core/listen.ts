type Listener = (argument: unknown) => void

interface Emitter {
  on(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
  getMaxListeners(): number
  setMaxListeners(limit: number): unknown
}

/**
 * Listens to the events of an emitter that others listen to as well: what Node takes for a leak begins one listener later
 * for as long as this one is there. @returns a function that stops listening.
 */
export function listen(
  emitter: Emitter,
  listeners: readonly (readonly [event: string, listener: Listener])[],
): () => void {
  for (const [event, listener] of listeners) emitter.on(event, listener)
  raiseLimit(emitter, 1)
  return () => {
    for (const [event, listener] of listeners) emitter.off(event, listener)
    raiseLimit(emitter, -1)
  }
}

/** Zero stands for no limit. */
function raiseLimit(emitter: Emitter, by: 1 | -1): void {
  const limit = emitter.getMaxListeners()
  if (limit > 0) emitter.setMaxListeners(limit + by)
}
